//! What a rollout did, table by table.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tenancy_config::{TableName, milliseconds};
use tenant_inventory::{Inventory, Phase, Relation};
use tenant_rls::PolicyForm;

use crate::declared_login::left_run::LeftOutcome;
use crate::declared_login::report::LoginOutcome;
use crate::options::Goal;
use crate::plan::coverage::RolloutCoverage;
use crate::plan::gate::GateResult;
use crate::plan::not_added::NotAdded;
use crate::plan::replaced::Replaced;
use crate::run::check::{Check, told};
use crate::stop::{Stop, said};
use crate::waiver::Waiver;

/// What a rollout did; its JSON is `rls-rollout/2`.
#[derive(Debug, Clone, Serialize)]
pub struct RolloutReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Its number in `tenant_ops.rollout`; none where there was nothing to do.
    pub rollout: Option<i64>,
    /// How far it was to go.
    pub goal: Goal,
    /// The checks that were made before the first step.
    #[serde(serialize_with = "told")]
    pub preflight: Vec<Check>,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// The tables and partitions.
    pub tables: Vec<TableOutcome>,
    /// The tables that depend on tenants' rows and got no tenant column, where one was asked for all of them.
    pub not_added: Vec<NotAdded>,
    /// What was done for the logins that are declared beside the application's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<LoginOutcome>,
    /// What was taken from roles that `tenancy.toml` names no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftOutcome>,
    /// What the report covers, and what else the database has.
    #[serde(flatten)]
    pub coverage: RolloutCoverage,
}

/// What a rollout did to one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableOutcome {
    /// The table, or a partition of one.
    pub table: TableName,
    /// Where it was.
    pub before: Phase,
    /// Where it is.
    pub after: Phase,
    /// The form of its policies; none where they are not ours.
    pub policy: Option<PolicyForm>,
    /// The form that they are to have, as `tenancy.toml` declares the table.
    pub declared: PolicyForm,
    /// Steps that were done.
    pub steps: usize,
    /// How long those took, waits for locks aside, in milliseconds.
    pub milliseconds: u64,
    /// Why it did not come further.
    #[serde(serialize_with = "said")]
    pub stopped_by: Vec<Stop>,
    /// What was let through, with the reason given.
    #[serde(serialize_with = "said")]
    pub waived: Vec<Waiver>,
    /// What of its own definition was replaced.
    #[serde(serialize_with = "said")]
    pub replaced: Vec<Replaced>,
    /// The backfill of its tenant column, where the rollout added that.
    pub filled: Option<Filled>,
}

/// The backfill of a tenant column that a rollout added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// The run in `tenant_ops.run`.
    pub run: i64,
    /// Rows that got a tenant.
    pub rows: u64,
    /// Rows that are left without one.
    pub remaining: u64,
}

impl RolloutReport {
    /// Whether every table is where it was to go, and nothing was found beside the tables; of the logins alone, whether they are as they were to be.
    pub fn is_complete(&self) -> bool {
        let declared = self.logins.iter().all(|login| login.stopped_by.is_empty());
        let logins = declared && self.left.iter().all(|left| left.stopped_by.is_empty()) && !self.stopped;
        if self.goal == Goal::Logins {
            return logins;
        }
        logins
            && self.not_added.is_empty()
            && !self.coverage.has_findings()
            && self.tables.iter().all(|table| table.stopped_by.is_empty())
    }
}

/// What a rollout has done to one relation so far.
#[derive(Debug, Default)]
pub(crate) struct TableProgress {
    pub(crate) steps: usize,
    pub(crate) time: Duration,
    pub(crate) verdict: GateResult,
    pub(crate) replaced: Vec<Replaced>,
    pub(crate) filled: Option<Filled>,
}

/// What a rollout did to a relation, and where it is now.
pub(crate) fn table_outcome(
    inventory: &Inventory,
    relation: &Relation,
    before: &BTreeMap<TableName, Phase>,
    outcomes: &BTreeMap<TableName, TableProgress>,
) -> TableOutcome {
    let after = inventory.phase(relation);
    let outcome = outcomes.get(&relation.name);
    let policies = inventory.policies(relation);
    TableOutcome {
        table: relation.name.clone(),
        before: before.get(&relation.name).copied().unwrap_or(after),
        after,
        policy: policies.form(),
        declared: policies.declared_form(),
        steps: outcome.map_or(0, |outcome| outcome.steps),
        milliseconds: outcome.map_or(0, |outcome| milliseconds(outcome.time)),
        stopped_by: outcome.map(|outcome| outcome.verdict.stopped_by.clone()).unwrap_or_default(),
        waived: outcome.map(|outcome| outcome.verdict.waived.clone()).unwrap_or_default(),
        replaced: outcome.map(|outcome| outcome.replaced.clone()).unwrap_or_default(),
        filled: outcome.and_then(|outcome| outcome.filled.clone()),
    }
}
