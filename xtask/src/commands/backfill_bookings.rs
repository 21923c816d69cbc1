//! `backfill-bookings`: gives each booking the tenant that its sources agree on.

use std::path::PathBuf;
use std::time::Duration;

use backfill_engine::BackfillReport;
use clap::{Args, ValueEnum};
use tenant_rls::{Database, Tenancy};

use crate::app::{App, Outcome};
use crate::backfill::{self, Bar};
use crate::{duration_arg, holder, report, stop};

/// Give each booking the tenant that its service request, client and service agree on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill-bookings --dry-run
  cargo xtask backfill-bookings --review review.csv
  cargo xtask backfill-bookings --batch-time 100ms --limit 10000
  cargo xtask backfill-bookings --confirm production --format json --output backfill.json

Ctrl-C ends it after the running batch; the same command goes on where it ended.")]
pub(crate) struct Options {
    /// Do everything but the commit
    #[arg(long)]
    dry_run: bool,
    /// How long one transaction may take; batches grow and shrink to fit
    #[arg(long, default_value = "250ms", value_parser = duration_arg::parse, value_name = "TIME")]
    batch_time: Duration,
    /// Write each row that nobody can decide, with its candidates, into this CSV file
    #[arg(long, value_name = "FILE.csv")]
    review: Option<PathBuf>,
    /// What to do where the sources disagree: report the row, or take the first source that knows a tenant
    #[arg(long, value_enum, default_value_t, value_name = "report|first", hide_possible_values = true)]
    on_conflict: OnConflict,
    /// Look at no more than this many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum OnConflict {
    #[default]
    Report,
    First,
}

impl From<Options> for backfill_engine::Options {
    fn from(options: Options) -> Self {
        Self {
            dry_run: options.dry_run,
            batch_time: options.batch_time,
            review: options.review,
            on_conflict: match options.on_conflict {
                OnConflict::Report => backfill_engine::OnConflict::Report,
                OnConflict::First => backfill_engine::OnConflict::First,
            },
            limit: options.limit,
        }
    }
}

/// Runs the backfill on the database that the settings name.
///
/// # Errors
/// The job's; what was committed before stays.
pub(crate) async fn run(app: &App, options: Options) -> Outcome {
    report::refuse_csv("backfill-bookings", app.global.format())?;
    let settings = app.settings()?;
    let connected = stop::at_once(app.connect(&settings)).await?;
    if options.dry_run {
        app.printer.note(&format!("dry run on {}: nothing will be kept", connected.line()));
    } else {
        app.before_writing(&connected).await?;
    }
    let report = backfill(app, &connected.database, settings.tenancy(), &options.into()).await?;
    connected.database.close().await;
    app.report(&report)?;
    Ok(backfill::exit(&report))
}

/// The job with its bar and with Ctrl-C; the demo runs it too.
pub(crate) async fn backfill(
    app: &App,
    database: &Database,
    tenancy: &Tenancy,
    options: &backfill_engine::Options,
) -> anyhow::Result<BackfillReport> {
    let holder = holder::name(|name| std::env::var(name).ok());
    let mut bar = Bar::new(&app.printer);
    let mut progress = |event| bar.event(event);
    let done = stop::gently(&app.printer, |stop| {
        backfill_bookings::backfill_bookings(database, tenancy, &holder, options, stop, &mut progress)
    })
    .await;
    bar.finish();
    Ok(done?)
}
