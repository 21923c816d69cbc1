//! The rollout: table by table, phase by phase, as far as the data allows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tenancy_config::{TableName, Tenancy};
use tenant_audit::AuditReport;
use tenant_inventory::{Inventory, Phase, Relation};
use tenant_ops::{Lease, Rollout};
use tenant_rls::Database;
use tokio::sync::watch;

use crate::build::{StepBuilder, StepStyle};
use crate::execute::{Executor, StepPurpose};
use crate::gate::{self, CrossTenantWaiver, GateResult};
use crate::preflight::{Check, preflight};
use crate::state::State;
use crate::{Error, Result, RolloutEvent, roles};

/// What everyone who changes definitions here holds.
pub(crate) const RESOURCE: &str = "rollout of row level security";

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// To this phase; a table that cannot get there is a reason to say "not yet".
    Phase(Phase),
    /// As far as the data allows.
    Auto,
}

impl Goal {
    pub(crate) fn wants(self, phase: Phase) -> bool {
        match self {
            Self::Phase(goal) => phase <= goal,
            Self::Auto => true,
        }
    }

    /// As the command line spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phase(phase) => phase.as_str(),
            Self::Auto => "auto",
        }
    }
}

/// What to roll out, and how.
#[derive(Debug, Clone)]
pub struct RolloutOptions {
    /// How far.
    pub goal: Goal,
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// The role that the application logs in as, where it is not the one of `tenancy.toml`.
    pub app_role: Option<String>,
    /// The bridge lets write own rows only.
    pub strict_writes: bool,
    /// Permissive policies of others are replaced by ours.
    pub adopt: bool,
    /// Rows that reference another tenant's row do not stop a table.
    pub allow_cross_tenant_references: bool,
    /// How a lock is waited for.
    pub patience: LockRetry,
}

/// How a lock that others would wait behind is waited for.
#[derive(Debug, Clone, Copy)]
pub struct LockRetry {
    /// How long one attempt waits.
    pub lock_timeout: Duration,
    /// How often it is tried, with growing waits in between.
    pub attempts: u32,
}

impl Default for LockRetry {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_millis(500), attempts: 12 }
    }
}

impl Default for RolloutOptions {
    fn default() -> Self {
        Self {
            goal: Goal::Auto,
            tables: Vec::new(),
            app_role: None,
            strict_writes: false,
            adopt: false,
            allow_cross_tenant_references: false,
            patience: LockRetry::default(),
        }
    }
}

impl RolloutOptions {
    pub(crate) fn style(&self) -> StepStyle {
        StepStyle { strict_writes: self.strict_writes, adopt: self.adopt }
    }

    pub(crate) fn waiver(&self) -> CrossTenantWaiver {
        CrossTenantWaiver { everywhere: self.allow_cross_tenant_references }
    }
}

/// What a rollout did; its JSON is `rls-rollout/1`.
#[derive(Debug, Clone, Serialize)]
pub struct RolloutReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Its number in `tenant_ops.rollout`; none where there was nothing to do.
    pub rollout: Option<i64>,
    /// How far it was to go.
    pub goal: &'static str,
    /// What was looked at before the first step.
    pub preflight: Vec<Check>,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// The tables and partitions.
    pub tables: Vec<TableOutcome>,
}

/// How far one table came.
#[derive(Debug, Clone, Serialize)]
pub struct TableOutcome {
    /// The table, or a partition of one.
    pub table: TableName,
    /// Where it was.
    pub before: Phase,
    /// Where it is.
    pub after: Phase,
    /// Steps that were done.
    pub steps: usize,
    /// How long those took, waits for locks aside, in milliseconds.
    pub milliseconds: u64,
    /// Why it did not come further.
    pub stopped_by: Vec<String>,
    /// What was let through, with the reason given.
    pub waived: Vec<String>,
}

impl RolloutReport {
    /// Whether every table is where it was to go.
    pub fn is_complete(&self) -> bool {
        !self.stopped && self.tables.iter().all(|table| table.stopped_by.is_empty())
    }
}

/// Rolls out, to the goal or until `stop` turns true: the running step is finished then, and the next run goes on behind it.
///
/// # Errors
/// [`Error::Preflight`] where a step would surely fail; [`tenant_ops::Error::Held`] where another rollout runs; [`Error::Blocked`] where a lock could not be had;
/// [`tenant_rls::Error::CannotSee`] where no role can count honestly before tightening. What was done stays, each step whole.
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
    let executor = Executor { database, lease: &lease, rollout, patience: options.patience };
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
    // Failing to is no error of its own: the lease runs out, and the journal keeps its steps. Nobody waits for a server that is gone.
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

/// What happened to one relation.
#[derive(Debug, Default)]
struct TableProgress {
    steps: usize,
    time: Duration,
    verdict: GateResult,
}

fn table_outcome(
    inventory: &Inventory,
    relation: &Relation,
    before: &BTreeMap<TableName, Phase>,
    outcomes: &BTreeMap<TableName, TableProgress>,
) -> TableOutcome {
    let after = inventory.phase(relation);
    let outcome = outcomes.get(&relation.name);
    TableOutcome {
        table: relation.name.clone(),
        before: before.get(&relation.name).copied().unwrap_or(after),
        after,
        steps: outcome.map_or(0, |outcome| outcome.steps),
        milliseconds: outcome.map_or(0, |outcome| u64::try_from(outcome.time.as_millis()).unwrap_or(u64::MAX)),
        stopped_by: outcome.map(|outcome| outcome.verdict.stopped_by.clone()).unwrap_or_default(),
        waived: outcome.map(|outcome| outcome.verdict.waived.clone()).unwrap_or_default(),
    }
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
            let audit = match phase {
                Phase::Tighten if self.any_loose(&state.inventory) => {
                    Some(gate::audit(self.executor.database, &state.inventory, progress).await?)
                }
                _ => None,
            };
            if phase == Phase::Enforce
                && state.inventory.relations.iter().any(|relation| state.inventory.phase(relation) == Phase::Tighten)
            {
                for step in roles::other_tables(self.executor.database, &state).await? {
                    self.executor.run(&step, &StepPurpose::Forward, progress).await?;
                }
            }
            for relation in &state.inventory.relations {
                if *self.stop.borrow() {
                    return Ok(());
                }
                self.relation(&state, relation, phase, audit.as_ref(), progress).await?;
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

    /// Whether a table is left that the audit must let through.
    fn any_loose(&self, inventory: &Inventory) -> bool {
        inventory.relations.iter().any(|relation| {
            inventory.phase(relation) == Phase::Prepare || self.is_still_to_be_audited(inventory, relation)
        })
    }

    /// A table of the platform has no bridge, and is behind the gate before that was asked.
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
            stopped_by: gate::catalog(&state.inventory, relation, phase, &builder),
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
                Err(Error::Database(error)) if matches!(error.sqlstate(), Some("TO003" | "23503" | "23514")) => {
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

async fn load(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<State> {
    State::load(database, tenancy, options.app_role.as_deref(), &options.tables).await
}

fn phases(inventory: &Inventory) -> BTreeMap<TableName, Phase> {
    inventory.relations.iter().map(|relation| (relation.name.clone(), inventory.phase(relation))).collect()
}

/// Whether this session can change definitions at all.
pub(crate) fn ddl_is_possible(database: &Database) -> Result<()> {
    let session = database.session();
    if session.in_recovery {
        return Err(Error::NoDdl("this server is a standby, which takes no DDL".to_owned()));
    }
    if session.read_only {
        return Err(Error::NoDdl("transactions of this login are read-only".to_owned()));
    }
    Ok(())
}
