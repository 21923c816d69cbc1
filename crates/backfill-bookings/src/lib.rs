//! Job: gives bookings their tenant, from service request, client and service. The engine does the work; this crate chooses the table.

use backfill_engine::{Backfill, BackfillEvent, BackfillOptions, BackfillPlan, BackfillReport, Result};
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_rls::Database;
use tokio::sync::watch;

/// The job's name in `tenant_ops.run`.
pub const JOB: &str = "backfill-bookings";

/// The table that it works on; `tenancy.toml` has its sources.
pub const TABLE: &str = "bookings";

/// Runs the job; see [`Backfill::run`].
///
/// # Errors
/// The table has no source or cannot be backfilled; no role sees every row; another run works on it; a trigger or a key forbids the
/// assignment, or the server refuses it. What was committed stays.
pub async fn backfill_bookings(
    database: &Database,
    tenancy: &Tenancy,
    holder: &str,
    options: &BackfillOptions,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(BackfillEvent) + Send),
) -> Result<BackfillReport> {
    let catalog = Catalog::load(database, tenancy).await?;
    let plan = BackfillPlan::new(&catalog, tenancy, TABLE)?;
    Backfill { database, tenancy, plan: &plan, job: JOB, holder, options }.run(stop, progress).await
}
