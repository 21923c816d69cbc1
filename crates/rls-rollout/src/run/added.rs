//! Adds tenant columns before the tables get their policies, and fills them afterwards.

use backfill_engine::{Backfill, BackfillEvent, BackfillOptions, BackfillPlan, FailedTable, RunOutcome};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_rls::Database;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::plan::step::Step;
use crate::run::progress::RolloutEvent;
use crate::run::report::Filled;
use crate::stop::Stop;

/// The name of the backfills in `tenant_ops.run`.
const JOB: &str = "rls-rollout";

/// Gives the rows of a table the tenant of the rows that they point to, in short transactions.
///
/// # Errors
/// What ends the rollout; what concerns the table alone is inside.
pub(crate) async fn fill(
    database: &Database,
    tenancy: &Tenancy,
    table: &TableName,
    holder: &str,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Result<Option<Filled>, Stop>> {
    // All tables: the one that the rows point to may not be one that was asked for.
    let catalog = Catalog::load(database, tenancy).await?;
    let options = BackfillOptions::default();
    let mut tell = |event| {
        if let BackfillEvent::Started { table, rows, .. } = event {
            progress(RolloutEvent::Filling { table, rows });
        }
    };
    let ran = async {
        let plan = BackfillPlan::new(&catalog, tenancy, &table.to_string())?;
        Backfill { database, tenancy, plan: &plan, job: JOB, holder, options: &options }
            .run(stop.clone(), &mut tell)
            .await
    };
    match ran.await {
        Ok(report) if report.outcome == RunOutcome::NothingToDo => Ok(Ok(None)),
        Ok(report) => {
            let Some(run) = report.run else { return Ok(Ok(None)) };
            Ok(Ok(Some(Filled { run, rows: report.assigned, remaining: report.remaining })))
        }
        Err(error) => match FailedTable::of(table, error) {
            Ok(failed) => Ok(Err(Stop::NotFilled { message: failed.error })),
            Err(error) => Err(error.into()),
        },
    }
}

/// What stops a table whose column could not be added: a lock on the table that its rows point to concerns this table alone.
pub(crate) fn refused(step: &Step, error: Error, other: impl Fn(&Step, Error) -> Result<Stop>) -> Result<Stop> {
    match error {
        Error::Blocked { step: name, attempts, blockers, .. } => Ok(Stop::Locked { step: name, attempts, blockers }),
        error => other(step, error),
    }
}
