//! `backfill apply`: writes what people decided in a review.

mod view;

use std::path::{Path, PathBuf};

use backfill_engine::{Apply, BackfillEvent, CheckedReview};
use clap::Args;
use tenancy_config::Exit;

use crate::context::command_error::CommandError;
use crate::context::{CommandResult, Context, holder, stop};
use crate::document::report;
use crate::number_format::{count, counted, duration};
use crate::terminal::progress::Meter;

/// Write what people decided in a review, each row only if it is still what they decided on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill run bookings --review review.csv
  cargo xtask backfill apply review.csv --dry-run
  cargo xtask backfill apply review.csv --refused refused.csv

Between the first and the second, people fill in the column `decision`: a tenant's id or slug; an empty one leaves the row
alone. Whatever else is changed in a line, or has changed in the database since, refuses that line, with its number; the
others are applied, and it ends with 3. `backfill undo` takes it back, as any run. Ctrl-C ends it after the running batch;
the same command goes on.")]
pub(super) struct Options {
    /// The review, filled in
    #[arg(value_name = "FILE.csv")]
    review: PathBuf,
    /// Do everything but the commit
    #[arg(long)]
    dry_run: bool,
    /// Write the lines that are refused into this file, with the reason, to be mended and applied again
    #[arg(long, value_name = "FILE.csv")]
    refused: Option<PathBuf>,
}

/// Applies it.
///
/// # Errors
/// The engine failed. What was committed stays.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("backfill apply", context.global.format())?;
    if options.refused.as_deref().is_some_and(|refused| same_file(refused, &options.review)) {
        return Err(CommandError::usage(
            "--refused names the review itself, whose undecided lines would be lost",
            "give another file",
        ));
    }
    context.expect_file("--refused", options.refused.as_deref())?;
    let settings = context.settings()?;
    // The file is read before it connects: one that is no review needs no server.
    let review = CheckedReview::check(&options.review)?;
    let connected = stop::at_once(context.connect(&settings)).await?;
    if options.dry_run {
        context.printer.note(&format!("dry run on {}: nothing will be kept", connected.line()));
    } else {
        let what = match &review.table {
            Some(table) => format!("{} about rows of {table}", counted(review.decided, "decision", "decisions")),
            None => "nothing, as nothing is decided in this review".to_owned(),
        };
        context.before_writing(&connected, &what).await?;
    }
    let holder = holder::name(tenancy_config::environment::checked);
    let apply = Apply {
        database: &connected.database,
        tenancy: settings.tenancy(),
        review: &review,
        refused: options.refused.as_deref(),
        dry_run: options.dry_run,
        holder: &holder,
    };
    let mut meter = None;
    let mut progress = |event| tell(context, &mut meter, event);
    let done = stop::gently(&context.printer, |stop| apply.run(stop, &mut progress)).await;
    if let Some(meter) = meter {
        meter.finish();
    }
    let done = done?;
    connected.database.close().await;
    context.report(&done)?;
    Ok(match (done.stopped, done.refused) {
        (true, _) => Some(Exit::Stopped),
        (false, 0) => None,
        (false, _) => Some(Exit::NotYet),
    })
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

fn tell<'a>(context: &'a Context, meter: &mut Option<Meter<'a>>, event: BackfillEvent) {
    match event {
        BackfillEvent::Waiting { holder } => context.printer.note(&holder::waiting(&holder)),
        BackfillEvent::Started { table, rows, role, run, .. } => {
            let run = run.map_or_else(|| "dry run".to_owned(), |run| format!("run {run}"));
            let rows_decided = counted(rows, "decision", "decisions");
            context.printer.note(&format!("{run}: {rows_decided} about {table}, writing as {role}"));
            *meter = Some(Meter::start(&context.printer, table.name().as_str(), "rows", 0, Some(rows)));
        }
        BackfillEvent::Batch { examined, assigned } => {
            if let Some(meter) = meter {
                meter.set(examined, &format!("{} applied", count(assigned)));
            }
        }
        BackfillEvent::Reconnecting { error, wait } => {
            context.printer.warning(&format!("the connection was lost ({error}); trying again in {}", duration(wait)));
        }
        _ => {}
    }
}
