//! Adds tenant columns before the tables get their policies, and fills them afterwards.

use backfill_engine::{Backfill, BackfillEvent, BackfillOptions, BackfillPlan, FailedTable, RunOutcome};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, Phase};
use tenant_rls::Database;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::plan::added::ColumnBuilder;
use crate::plan::gate;
use crate::plan::step::Step;
use crate::run::executor::StepPurpose;
use crate::run::locked::Run;
use crate::run::progress::RolloutEvent;
use crate::run::refused::refused;
use crate::run::report::Filled;
use crate::state::RolloutState;
use crate::stop::Stop;

/// The name of the backfills in `tenant_ops.run`.
const JOB: &str = "rls-rollout";

impl Run<'_> {
    /// Adds the tenant columns that are missing. The answer is whether a step was run.
    pub(super) async fn add_columns(
        &mut self,
        state: &RolloutState,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<bool> {
        let mut changed = false;
        let inventory = &state.inventory;
        for (added, relation) in state.added() {
            let mut stopped_by = gate::catalog(inventory, relation, Phase::Prepare, self.options.style());
            // What another table's column needed too is there by now.
            let now = if changed { self.read_again(state).await? } else { state.clone() };
            let of_now = now.added().find(|(known, _)| known.table == added.table);
            let steps = match of_now.filter(|_| stopped_by.is_empty()) {
                Some((added, relation)) => ColumnBuilder { state: &now, added, relation }.steps()?,
                None => Vec::new(),
            };
            for step in steps {
                if *self.stop.borrow() {
                    return Ok(changed);
                }
                match self.executor.run(&step, &StepPurpose::Forward, progress).await {
                    Ok(took) => {
                        let outcome = self.outcomes.entry(relation.name.clone()).or_default();
                        outcome.time += took;
                        outcome.steps += 1;
                        changed = true;
                    }
                    Err(error) => {
                        stopped_by.push(refused_column(&step, error)?);
                        break;
                    }
                }
            }
            if stopped_by.is_empty() {
                continue;
            }
            // Its partitions have no column either.
            for other in inventory.relations.iter().filter(|other| inventory.audited_as(other) == relation.name) {
                self.outcomes.entry(other.name.clone()).or_default().verdict.stopped_by.clone_from(&stopped_by);
            }
        }
        Ok(changed)
    }

    /// Fills the columns that were added, a table after the one that its rows point to. The answer is whether a row was written.
    pub(super) async fn fill_columns(
        &mut self,
        state: &RolloutState,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<bool> {
        let mut changed = false;
        for (added, relation) in state.added() {
            let outcome = self.outcomes.entry(relation.name.clone()).or_default();
            if relation.never_null || !outcome.verdict.stopped_by.is_empty() || *self.stop.borrow() {
                continue;
            }
            let (database, tenancy) = (self.executor.database, &state.inventory.tenancy);
            match fill(database, tenancy, &added.table, self.holder, self.stop, progress).await? {
                Ok(filled) => {
                    changed |= filled.is_some();
                    outcome.filled = filled;
                }
                Err(stop) => outcome.verdict.stopped_by.push(stop),
            }
        }
        Ok(changed)
    }
}

/// Gives the rows of a table the tenant of the rows that they point to, in short transactions.
///
/// # Errors
/// What ends the rollout; what concerns the table alone is inside.
async fn fill(
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

/// What stops a table whose column could not be added. A lock on the table that its rows point to concerns this table alone.
fn refused_column(step: &Step, error: Error) -> Result<Stop> {
    match error {
        Error::Blocked { step: name, attempts, blockers, .. } => Ok(Stop::Locked { step: name, attempts, blockers }),
        error => refused(step, error),
    }
}
