//! The rollout: table by table, phase by phase, as far as the data allows.

pub(crate) mod check;
pub(crate) mod executor;
pub(crate) mod preflight;
pub(crate) mod progress;
pub(crate) mod report;
mod roles;

use std::collections::BTreeMap;

use tenancy_config::{TableName, Tenancy};
use tenant_audit::{AuditOptions, AuditProgress, AuditReport};
use tenant_inventory::{Inventory, Phase, Relation};
use tenant_ops::{Lease, Rollout};
use tenant_rls::Database;
use tenant_rls::sqlstate::ROW_WITHOUT_TENANT;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::options::{RESOURCE, RolloutOptions};
use crate::plan::gate::{self, GateResult};
use crate::plan::grants;
use crate::plan::steps::StepBuilder;
use crate::run::executor::{Executor, StepPurpose, ddl_is_possible};
use crate::run::preflight::preflight;
use crate::run::progress::RolloutEvent;
use crate::run::report::{RolloutReport, TableProgress, table_outcome};
use crate::state::State;

/// Rolls out, to the goal or until `stop` is true: the running step is finished then, and the next run goes on after it.
///
/// # Errors
/// [`Error::Preflight`] where a step would surely fail; [`tenant_ops::Error::Held`] where another rollout runs; [`Error::Blocked`] where a lock could not be had;
/// [`tenant_rls::Error::CannotSee`] where no role sees every row, which the audit before `tighten` needs. Every step that was done stays.
pub async fn rollout(
    database: &Database,
    tenancy: &Tenancy,
    options: &RolloutOptions,
    holder: &str,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<RolloutReport> {
    ddl_is_possible(database)?;
    let state = load(database, tenancy, options).await?;
    let before: BTreeMap<TableName, Phase> = phases(&state.inventory);
    let preflight = preflight(database, &state, options.goal, progress).await?;
    tenant_ops::install(database, tenancy).await?;
    let mut queued = |holder: &str| progress(RolloutEvent::Queued { holder: holder.to_owned() });
    let lease = Lease::acquire(database, RESOURCE, holder, &mut queued).await?;
    let alive = lease.keep_alive(database);
    let command = format!("rollout --phase {}", options.goal.as_str());
    // Read again: until the lease was ours, somebody else may have gone further.
    let state = load(database, tenancy, options).await?;
    let rollout = Rollout::open(database, &command).await?;
    let executor = Executor { database, lease: &lease, rollout, lock_retry: options.lock_retry };
    let mut run = Run { executor, options, stop, outcomes: BTreeMap::new() };
    let mut done = run.force_again(&state, progress).await;
    if done.is_ok() {
        // Read again: until the lease was ours, somebody else may have gone on.
        done = match load(database, tenancy, options).await {
            Ok(state) => run.all(state, progress).await,
            Err(error) => Err(error),
        };
    }
    // However it ended, no table that was forced is left open.
    let restored = match load(database, tenancy, options).await {
        Ok(state) => run.force_again(&state, progress).await,
        Err(error) => Err(error),
    };
    let stopped = *run.stop.borrow();
    let outcomes = std::mem::take(&mut run.outcomes);
    let lost = restored.as_ref().is_err_and(Error::lost_connection);
    let done = done.and(restored);
    // A failure here is no error of its own: the lease runs out, and the journal keeps its steps. Nobody waits for a server that is gone.
    drop(alive);
    if !lost {
        let _ = rollout.end(database, done.is_ok() && !stopped).await;
        let _ = lease.release(database).await;
    }
    done?;
    let state = load(database, tenancy, options).await?;
    let done_any = outcomes.values().any(|outcome: &TableProgress| outcome.steps > 0);
    Ok(RolloutReport {
        schema: "rls-rollout/1",
        rollout: done_any.then_some(rollout.id),
        goal: options.goal.as_str(),
        preflight,
        stopped,
        tables: state
            .inventory
            .relations
            .iter()
            .map(|relation| table_outcome(&state.inventory, relation, &before, &outcomes))
            .collect(),
    })
}

struct Run<'a> {
    executor: Executor<'a>,
    options: &'a RolloutOptions,
    stop: watch::Receiver<bool>,
    outcomes: BTreeMap<TableName, TableProgress>,
}

impl Run<'_> {
    async fn all(&mut self, mut state: State, progress: &mut (dyn FnMut(RolloutEvent) + Send)) -> Result<()> {
        roles::prepare(&self.executor, &state, progress).await?;
        for phase in Phase::ROLLED_OUT {
            if !self.options.goal.wants(phase) {
                return Ok(());
            }
            let report = match phase {
                Phase::Tighten if self.any_loose(&state.inventory) => {
                    Some(audit(self.executor.database, &state.inventory, progress).await?)
                }
                _ => None,
            };
            if phase == Phase::Enforce
                && state.inventory.relations.iter().any(|relation| state.inventory.phase(relation) == Phase::Tighten)
            {
                for step in grants::other_tables(self.executor.database, &state).await? {
                    self.executor.run(&step, &StepPurpose::Forward, progress).await?;
                }
            }
            for relation in &state.inventory.relations {
                if *self.stop.borrow() {
                    return Ok(());
                }
                self.relation(&state, relation, phase, report.as_ref(), progress).await?;
            }
            state = load(self.executor.database, &state.inventory.tenancy, self.options).await?;
        }
        Ok(())
    }

    /// Restores FORCE where a run lifted it and was killed, stopped or refused before it could.
    async fn force_again(&self, state: &State, progress: &mut (dyn FnMut(RolloutEvent) + Send)) -> Result<()> {
        for relation in state.lifted() {
            let step = StepBuilder { state, relation, style: self.options.style() }.force_again()?;
            self.executor.run(&step, &StepPurpose::Forward, progress).await?;
        }
        Ok(())
    }

    /// Whether there is a table that the audit must let through.
    fn any_loose(&self, inventory: &Inventory) -> bool {
        inventory.relations.iter().any(|relation| {
            inventory.phase(relation) == Phase::Prepare || self.is_still_to_be_audited(inventory, relation)
        })
    }

    /// A table with rows of the platform has no bridge, and reaches `tighten` before an audit was asked.
    fn is_still_to_be_audited(&self, inventory: &Inventory, relation: &Relation) -> bool {
        relation.platform_rows && inventory.phase(relation) == Phase::Tighten && self.options.goal.wants(Phase::Enforce)
    }

    async fn relation(
        &mut self,
        state: &State,
        relation: &Relation,
        phase: Phase,
        audit: Option<&AuditReport>,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<()> {
        let audited = phase != Phase::Tighten || !self.is_still_to_be_audited(&state.inventory, relation);
        let outcome = self.outcomes.entry(relation.name.clone()).or_default();
        if state.inventory.phase(relation) >= phase && audited || !outcome.verdict.stopped_by.is_empty() {
            return Ok(());
        }
        if phase > Phase::Prepare && state.inventory.phase(relation) < Phase::Prepare {
            let lacking = "it did not get through `prepare`: `cargo xtask rls status` shows what it has";
            outcome.verdict.stopped_by.push(lacking.to_owned());
            return Ok(());
        }
        let builder = StepBuilder { state, relation, style: self.options.style() };
        let mut verdict = GateResult {
            stopped_by: gate::catalog(&state.inventory, relation, phase, builder.style),
            ..GateResult::default()
        };
        if let Some(audit) = audit {
            let table = state.inventory.audited_as(relation);
            let data = gate::data(&state.inventory, audit, &table, self.options.waiver());
            verdict.stopped_by.extend(data.stopped_by);
            verdict.waived.extend(data.waived);
        }
        outcome.verdict.waived.extend(verdict.waived);
        if !verdict.stopped_by.is_empty() {
            outcome.verdict.stopped_by = verdict.stopped_by;
            return Ok(());
        }
        for step in builder.steps(phase)? {
            if *self.stop.borrow() {
                return Ok(());
            }
            let took = self.executor.run(&step, &StepPurpose::Forward, progress).await;
            match took {
                Err(Error::Database(error))
                    if matches!(error.sqlstate(), Some(ROW_WITHOUT_TENANT | "23503" | "23514")) =>
                {
                    outcome.verdict.stopped_by.push(format!("a row came in after the audit: {error}"));
                    return Ok(());
                }
                took => outcome.time += took?,
            }
            outcome.steps += 1;
        }
        Ok(())
    }
}

/// Counts the rows of every table of the inventory.
async fn audit(
    database: &Database,
    inventory: &Inventory,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<AuditReport> {
    let tables = inventory.catalog.tables.iter().map(|table| table.name.to_string()).collect();
    let options = AuditOptions { tables, ..AuditOptions::default() };
    let mut tell = |event| {
        if let AuditProgress::Counted { done, of, .. } = event {
            progress(RolloutEvent::Auditing { done, of });
        }
    };
    Ok(tenant_audit::audit(database, &inventory.tenancy, &options, &mut tell).await?)
}

async fn load(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<State> {
    State::load(database, tenancy, options.app_role.as_deref(), &options.tables).await
}

fn phases(inventory: &Inventory) -> BTreeMap<TableName, Phase> {
    inventory.relations.iter().map(|relation| (relation.name.clone(), inventory.phase(relation))).collect()
}
