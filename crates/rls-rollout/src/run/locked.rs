//! The rollout under the lease: phase by phase, table by table.

use std::collections::BTreeMap;

use tenancy_config::TableName;
use tenant_audit::{AuditOptions, AuditProgress, AuditReport};
use tenant_inventory::{Inventory, Phase, Relation};
use tenant_rls::Database;
use tokio::sync::watch;

use crate::declared_login;
use crate::declared_login::left_run::LeftOutcome;
use crate::declared_login::report::LoginOutcome;
use crate::error::Result;
use crate::options::{Goal, RolloutOptions};
use crate::plan::gate::{self, GateResult};
use crate::plan::grants;
use crate::plan::measured::measure_forms;
use crate::plan::replaced::replaced;
use crate::plan::steps::StepBuilder;
use crate::plan::through::PlannedThrough;
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;
use crate::run::refused::refused;
use crate::run::report::TableProgress;
use crate::run::restore::force_again;
use crate::run::roles;
use crate::state::RolloutState;
use crate::stop::Stop;

/// A rollout that holds the lease.
pub(super) struct Run<'a> {
    pub(super) executor: &'a Executor<'a>,
    pub(super) options: &'a RolloutOptions,
    pub(super) holder: &'a str,
    pub(super) stop: &'a watch::Receiver<bool>,
    pub(super) outcomes: BTreeMap<TableName, TableProgress>,
    /// What was done for the declared logins.
    logins: Vec<LoginOutcome>,
    /// What was taken from roles that are named no more.
    left: Vec<LeftOutcome>,
}

/// What a rollout did under its lease.
pub(crate) struct Locked {
    /// Whether it ended as it should, or was stopped.
    pub(crate) done: Result<()>,
    /// What is there now; none where it failed, or where steps were run since that was read.
    pub(crate) state: Option<RolloutState>,
    /// What was done to each table.
    pub(crate) outcomes: BTreeMap<TableName, TableProgress>,
    /// What was done for the declared logins.
    pub(crate) logins: Vec<LoginOutcome>,
    /// What was taken from roles that are named no more.
    pub(crate) left: Vec<LeftOutcome>,
}

/// Does what is to be done, from what was read under the lease.
pub(crate) async fn locked(
    executor: &Executor<'_>,
    options: &RolloutOptions,
    holder: &str,
    stop: &watch::Receiver<bool>,
    state: RolloutState,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Locked {
    let mut run =
        Run { executor, options, holder, stop, outcomes: BTreeMap::new(), logins: Vec::new(), left: Vec::new() };
    let (done, state) = match Box::pin(run.all(state, progress)).await {
        Ok(state) => (Ok(()), state),
        Err(error) => (Err(error), None),
    };
    Locked { done, state, outcomes: run.outcomes, logins: run.logins, left: run.left }
}

impl Run<'_> {
    /// The answer is what is there at the end, where no step came after it was read.
    async fn all(
        &mut self,
        mut state: RolloutState,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<Option<RolloutState>> {
        if force_again(self.executor, self.options, &state, progress).await? {
            // Read again: FORCE was restored.
            state = self.read_again(&state).await?;
        }
        let mut changed = match self.options.goal {
            Goal::Logins => false,
            _ => roles::prepare(self.executor, &state, progress).await?,
        };
        self.logins =
            Box::pin(declared_login::run::run(self.executor, &state, self.options, self.stop, progress)).await?;
        if self.logins.iter().any(|done| done.steps > 0) {
            // Read again: the logins have what they had not.
            state = self.read_again(&state).await?;
        }
        self.left = declared_login::left_run::run(self.executor, &state, self.stop, progress).await?;
        if self.left.iter().any(|left| left.steps > 0) {
            // Read again: policies are gone.
            state = self.read_again(&state).await?;
        }
        if self.options.goal.wants(Phase::Prepare) && Box::pin(self.add_columns(&state, progress)).await? {
            // Read again: tables have a tenant column that had none.
            state = self.read_again(&state).await?;
            changed = false;
        }
        if self.options.goal.wants(Phase::Prepare) {
            measure_forms(self.executor.database, &mut state.inventory).await;
            let chosen = |relation: &Relation| Some((relation.name.clone(), PlannedThrough::measured(relation)?));
            for (table, through) in state.inventory.relations.iter().filter_map(chosen) {
                progress(RolloutEvent::Form { table, through });
            }
        }
        for phase in Phase::ROLLED_OUT.into_iter().filter(|phase| self.options.goal.wants(*phase)) {
            let audited = match phase {
                Phase::Tighten if self.any_loose(&state.inventory) => {
                    Some(Box::pin(audit(self.executor.database, &state.inventory, progress)).await?)
                }
                _ => None,
            };
            changed |= Box::pin(self.phase(&state, phase, audited.as_ref(), progress)).await?;
            if phase == Phase::Prepare {
                changed |= Box::pin(self.fill_columns(&state, progress)).await?;
            }
            if *self.stop.borrow() {
                return Ok((!changed).then_some(state));
            }
            if changed || audited.is_some() {
                // Read again: steps of ours, or the audit, which may take hours, came between.
                state = self.read_again(&state).await?;
                changed = false;
            }
        }
        Ok(Some(state))
    }

    /// Brings every relation to a phase. The answer is whether a step was run.
    async fn phase(
        &mut self,
        state: &RolloutState,
        phase: Phase,
        audit: Option<&AuditReport>,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<bool> {
        let mut changed = false;
        let inventory = &state.inventory;
        if phase == Phase::Enforce
            && inventory.relations.iter().any(|relation| inventory.phase(relation) == Phase::Tighten)
        {
            for step in grants::other_tables(self.executor.database, state).await? {
                self.executor.run(&step, &StepPurpose::Forward, progress).await?;
                changed = true;
            }
        }
        for relation in &inventory.relations {
            if *self.stop.borrow() {
                break;
            }
            changed |= self.relation(state, relation, phase, audit, progress).await?;
        }
        Ok(changed)
    }

    pub(super) async fn read_again(&self, state: &RolloutState) -> Result<RolloutState> {
        Box::pin(RolloutState::for_rollout(self.executor.database, &state.inventory.tenancy, self.options)).await
    }

    /// Whether there is a table that the audit must let through.
    fn any_loose(&self, inventory: &Inventory) -> bool {
        inventory.relations.iter().any(|relation| {
            inventory.phase(relation) == Phase::Prepare || self.is_still_to_be_audited(inventory, relation)
        })
    }

    /// A table whose rows without a tenant are meant has no bridge, and reaches `tighten` before an audit was asked.
    fn is_still_to_be_audited(&self, inventory: &Inventory, relation: &Relation) -> bool {
        relation.null_rows_are_meant()
            && inventory.phase(relation) == Phase::Tighten
            && self.options.goal.wants(Phase::Enforce)
    }

    /// Brings a relation to a phase, as far as catalog and audit allow. The answer is whether a step was run.
    async fn relation(
        &mut self,
        state: &RolloutState,
        relation: &Relation,
        phase: Phase,
        audit: Option<&AuditReport>,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<bool> {
        let audited = phase != Phase::Tighten || !self.is_still_to_be_audited(&state.inventory, relation);
        let parent = gate::parent(&state.inventory, relation, phase, |other| {
            self.outcomes.get(&other.name).is_some_and(|outcome| !outcome.verdict.stopped_by.is_empty())
        });
        let outcome = self.outcomes.entry(relation.name.clone()).or_default();
        let now = state.inventory.phase(relation);
        // What `prepare` makes is mended at each phase: a new source needs rights, another declaration another policy.
        let reached = phase > Phase::Prepare && now >= phase && audited;
        if reached || !outcome.verdict.stopped_by.is_empty() {
            return Ok(false);
        }
        if let Some(before) =
            Phase::ROLLED_OUT.into_iter().rev().find(|before| *before < phase).filter(|before| now < *before)
        {
            outcome.verdict.stopped_by.push(Stop::PhaseBefore { phase: before });
            return Ok(false);
        }
        let builder = StepBuilder { state, relation, style: self.options.style() };
        let mut verdict = GateResult {
            stopped_by: gate::catalog(&state.inventory, relation, phase, builder.style),
            ..GateResult::default()
        };
        verdict.stopped_by.extend(parent);
        let stopped = self.logins.iter().filter(|login| !login.stopped_by.is_empty());
        let blocked: Vec<_> = stopped.map(|login| &login.purpose).collect();
        verdict.stopped_by.extend(declared_login::blocked::stop(state, &relation.name, &blocked));
        if let Some(audit) = audit.filter(|_| relation.parent.is_none()) {
            let table = state.inventory.audited_as(relation);
            let data = gate::data(&state.inventory, audit, &table, self.options.waiver());
            verdict.stopped_by.extend(data.stopped_by);
            verdict.waived.extend(data.waived);
        }
        outcome.verdict.waived.extend(verdict.waived);
        if !verdict.stopped_by.is_empty() {
            outcome.verdict.stopped_by = verdict.stopped_by;
            return Ok(false);
        }
        let mut changed = false;
        let steps = builder.steps(phase)?;
        if phase == Phase::Prepare && !steps.is_empty() {
            outcome.replaced = replaced(&state.inventory, relation, builder.style);
        }
        for step in steps {
            if *self.stop.borrow() {
                return Ok(changed);
            }
            match self.executor.run(&step, &StepPurpose::Forward, progress).await {
                Ok(took) => outcome.time += took,
                Err(error) => {
                    outcome.verdict.stopped_by.push(refused(&step, error)?);
                    // The others may take hours: FORCE that a step of this table lifted does not wait for them.
                    let now = self.read_again(state).await?;
                    return Ok(force_again(self.executor, self.options, &now, progress).await? || changed);
                }
            }
            outcome.steps += 1;
            changed = true;
        }
        Ok(changed)
    }
}

/// Counts the rows of every table of the inventory that is handled.
async fn audit(
    database: &Database,
    inventory: &Inventory,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<AuditReport> {
    let handled = inventory.catalog.tables.iter().filter(|table| table.unhandled.is_none());
    let tables = handled.map(|table| table.name.to_string()).collect();
    let options = AuditOptions { tables, ..AuditOptions::default() };
    let mut tell = |event| {
        if let AuditProgress::Counted { done, of, .. } = event {
            progress(RolloutEvent::Auditing { done, of });
        }
    };
    Ok(tenant_audit::audit(database, &inventory.tenancy, &options, &mut tell).await?)
}
