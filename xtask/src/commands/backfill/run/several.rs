//! One plan after the other, and the report of what was done.

use backfill_engine::{Backfill, BackfillPlan, BackfillReport, FailedTable, TablesReport};
use tenancy_config::{Exit, TableName};
use tenant_inventory::Catalog;

use crate::commands::backfill::session::{self, BackfillSession};
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context};

/// The job's name in `tenant_ops.run`.
pub(super) const JOB: &str = "backfill";

/// What was done with one table, or with one after the other.
pub(crate) struct Several {
    /// There is only one, whose error is the command's.
    one: bool,
    reports: Vec<BackfillReport>,
    failed: Vec<FailedTable>,
}

impl Several {
    pub(crate) fn new(one: bool) -> Self {
        Self { one, reports: Vec::new(), failed: Vec::new() }
    }

    /// Takes what came of a table. Returns whether the others must not follow, as it was stopped.
    ///
    /// # Errors
    /// The error of the only table, or one that is not about its table alone.
    pub(crate) fn add(
        &mut self,
        context: &Context,
        name: &TableName,
        done: Result<BackfillReport, backfill_engine::Error>,
    ) -> Result<bool, CommandFailure> {
        match done {
            Ok(report) => self.reports.push(report),
            Err(error) if self.one => return Err(error.into()),
            Err(error) => {
                let failure = FailedTable::of(name, error)?;
                context.printer.warning(&format!("{name}: {}", failure.error));
                self.failed.push(failure);
                return Ok(false);
            }
        }
        Ok(self.reports.last().is_some_and(|report| report.outcome == backfill_engine::RunOutcome::Stopped))
    }

    /// Writes the report, and returns the exit status.
    ///
    /// # Errors
    /// The report cannot be written. What was assigned stays.
    pub(crate) async fn end(
        mut self,
        context: &Context,
        session: BackfillSession<'_>,
        catalog: &Catalog,
        all: bool,
    ) -> CommandResult {
        if let Some(report) = self.reports.pop_if(|_| self.one) {
            return session.end(report).await;
        }
        let (database, tenancy) = (session.database(), session.tenancy());
        let report = TablesReport::of(database, tenancy, catalog, (self.reports, self.failed), all).await?;
        session.close().await;
        context.report(&report)?;
        Ok(worst(&report))
    }
}

/// Runs one plan.
pub(crate) async fn one(
    context: &Context,
    session: &BackfillSession<'_>,
    plan: &BackfillPlan,
    options: &backfill_engine::BackfillOptions,
    job: &str,
) -> Result<BackfillReport, backfill_engine::Error> {
    session::attempt_job(context, async |holder, stop, progress| {
        let (database, tenancy) = (session.database(), session.tenancy());
        Backfill { database, tenancy, plan, job, holder, options }.run(stop, progress).await
    })
    .await
}

/// The exit status for all tables. A run that was stopped decides before rows that are left.
fn worst(report: &TablesReport) -> Option<Exit> {
    let stopped = report.tables.iter().filter_map(session::exit).find(|exit| *exit == Exit::Stopped);
    stopped.or_else(|| (!report.is_complete()).then_some(Exit::NotYet))
}
