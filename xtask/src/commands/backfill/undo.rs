//! `backfill undo`: takes a run back.

use backfill_engine::{BackfillEvent, MEMBERSHIPS_JOB, Undo, UndoReport, status};
use clap::Args;
use tenancy_config::Exit;

use crate::context::{CommandResult, Context, holder, stop};
use crate::document::block::{Document, lines};
use crate::document::report;
use crate::document::report::Report;
use crate::number_format::{count, counted};
use crate::terminal::progress::Meter;

/// Take a run back: rows that still have the tenant it gave them have again what they had before
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill undo 7 --dry-run
  cargo xtask backfill undo 7

Rows that are gone, or have another tenant by now, are left alone and counted. Rows that a run made (memberships) are deleted, unless
somebody has changed them, or other rows point to them. Ctrl-C ends it after the running batch;
the same command goes on. It refuses where a table requires a tenant, and where later runs drew on these rows.")]
pub(super) struct Options {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
    /// Count, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Takes it back.
///
/// # Errors
/// The engine failed. What was committed stays.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("backfill undo", context.global.format())?;
    let settings = context.settings()?;
    let connected = stop::at_once(context.connect(&settings)).await?;
    if options.dry_run {
        context.printer.note(&format!("dry run on {}: nothing will be changed", connected.line()));
    } else {
        let of = status(&connected.database, settings.tenancy(), options.run).await?.run;
        let what = match of.job == MEMBERSHIPS_JOB {
            true => format!("{}, without the rows that run {} made there", of.table, of.id),
            false => format!("what the rows of {} had before run {}", of.table, of.id),
        };
        context.before_writing(&connected, &what).await?;
    }
    let holder = holder::name(tenancy_config::environment::checked);
    let mut meter = None;
    let mut progress = |event| match event {
        BackfillEvent::Waiting { holder } => context.printer.note(&holder::waiting(&holder)),
        BackfillEvent::Undoing { rows, .. } => {
            meter = Some(Meter::start(&context.printer, "undo", "rows", 0, Some(rows)));
        }
        BackfillEvent::Batch { examined, assigned } => {
            if let Some(meter) = &mut meter {
                meter.set(examined, &format!("{} taken back", count(assigned)));
            }
        }
        _ => {}
    };
    let undo = Undo {
        database: &connected.database,
        tenancy: settings.tenancy(),
        run: options.run,
        dry_run: options.dry_run,
        holder: &holder,
    };
    let done = stop::gently(&context.printer, |stop| undo.run(stop, &mut progress)).await;
    if let Some(meter) = meter {
        meter.finish();
    }
    let done = done?;
    connected.database.close().await;
    context.report(&done)?;
    Ok(done.stopped.then_some(Exit::Stopped))
}

impl Report for UndoReport {
    const NAME: &'static str = "backfill undo";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let verb = match (self.deletes, self.dry_run) {
            (false, true) => "would have what they had before",
            (false, false) => "have what they had before",
            (true, true) => "would be deleted",
            (true, false) => "deleted",
        };
        let mut said = format!("run {} on {}: {} {verb}", self.run, self.table, counted(self.undone, "row", "rows"));
        if self.kept > 0 {
            let left_alone = counted(self.kept, "row", "rows");
            let why = match self.deletes {
                true => "are gone, were changed, or have others that point to them",
                false => "are gone or have another tenant by now",
            };
            said.push_str(&format!("; {left_alone} {why}, and were left alone"));
        }
        let left = counted(self.left, "row", "rows");
        let stopped = self.stopped.then(|| format!("Stopped with {left} left; the same command goes on."));
        Document::new([lines([said + "."].into_iter().chain(stopped))])
    }
}
