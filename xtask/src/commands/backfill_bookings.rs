//! `backfill-bookings`: gives each booking the tenant that its sources agree on.

use backfill_engine::BackfillReport;
use clap::Args;
use tenancy_config::Tenancy;
use tenant_rls::Database;

use crate::commands::backfill::args::BackfillArgs;
use crate::commands::backfill::session::{self, BackfillSession};
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context};

/// Give each booking the tenant that its sources agree on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill-bookings --dry-run
  cargo xtask backfill-bookings --review review.csv
  cargo xtask backfill-bookings --batch-time 100ms --limit 10000
  cargo xtask backfill-bookings --confirm production --format json --output backfill.json

The sources are those of tenancy.toml; by default service request, client and service.
Ctrl-C ends it after the running batch; the same command goes on where it ended.")]
pub(crate) struct Options {
    #[command(flatten)]
    backfill: BackfillArgs,
}

/// Runs the backfill on the database that the settings name.
///
/// # Errors
/// The job failed. What was committed stays.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    let session = BackfillSession::open(context, "backfill-bookings", options.backfill).await?;
    session.begin(&[&session.table(backfill_bookings::TABLE)?]).await?;
    let report = backfill(context, session.database(), session.tenancy(), &session.options).await?;
    session.end(report).await
}

/// Runs the job with its progress and with Ctrl-C. The demo calls it too.
pub(crate) async fn backfill(
    context: &Context,
    database: &Database,
    tenancy: &Tenancy,
    options: &backfill_engine::BackfillOptions,
) -> Result<BackfillReport, CommandFailure> {
    session::run_job(context, async |holder, stop, progress| {
        backfill_bookings::backfill_bookings(database, tenancy, holder, options, stop, progress).await
    })
    .await
}
