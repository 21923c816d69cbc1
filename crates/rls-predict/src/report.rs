//! What was predicted, as values.

use std::fmt;

use rls_rollout::Stop;
use serde::Serialize;
use tenancy_config::TableName;
use tenant_rls::{PolicyForm, StatementFailure};

use crate::catalog::beside::Effect;
use crate::lost::LostIndex;
use crate::plan::PlanNode;
use crate::statements::Statement;

/// What was predicted; its JSON is `rls-predict/1`.
#[derive(Debug, Clone, Serialize)]
pub struct PredictReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The database's name.
    pub database: String,
    /// Whether policies were tried, or only the catalog was read.
    pub tried: bool,
    /// From how many times the cost on a statement counts as slower.
    pub slower_than: f64,
    /// As whom statements were planned.
    pub planned_as: PlannedAs,
    /// Whose statements these are, where the server counted them; none where they are every role's, or were given.
    pub statements_of: Option<String>,
    /// The tenant as which statements were planned behind the policies; none where nothing was tried, or no tenant has rows.
    pub tenant: Option<String>,
    /// How many statements there were.
    pub statements: usize,
    /// How many of them were planned.
    pub planned: usize,
    /// The tables that get policies, and those that something stops on the way.
    pub tables: Vec<PredictedTable>,
    /// The statements that policies change, worst first.
    pub predictions: Vec<Prediction>,
    /// The statements that were not planned.
    pub not_planned: Vec<NotPlanned>,
    /// What is affected beside statements.
    #[serde(serialize_with = "rls_rollout::said")]
    pub effects: Vec<Effect>,
}

/// As whom statements were planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum PlannedAs {
    /// As this login itself.
    Login {
        /// The login.
        role: String,
    },
    /// A login that acted as the application's.
    Acting {
        /// The login.
        login: String,
        /// The application's.
        role: String,
    },
    /// As this login, since it may not act as the application's. Policies hold for it just the same, as they are forced.
    Instead {
        /// The login.
        login: String,
        /// The application's.
        role: String,
    },
}

/// A table that gets policies.
#[derive(Debug, Clone, Serialize)]
pub struct PredictedTable {
    /// The table, or a partition of one.
    pub table: TableName,
    /// The form of its policies.
    pub policy: PolicyForm,
    /// It has them already.
    pub is_enforced: bool,
    /// What stops it on the way.
    #[serde(serialize_with = "rls_rollout::said")]
    pub stopped_by: Vec<Stop>,
    /// Why its policies were not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_tried: Option<TableNotTried>,
}

/// Why the policies of a table were not tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum TableNotTried {
    /// A rollout adds the column that they compare.
    ColumnToCome,
    /// Something stops it.
    Stopped,
    /// The server refused a statement.
    Failed {
        /// What it said.
        failure: StatementFailure,
    },
}

impl fmt::Display for TableNotTried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ColumnToCome => f.write_str("the rollout adds its tenant column, which is not there yet"),
            Self::Stopped => f.write_str("something stops it on the way"),
            Self::Failed { failure } => write!(f, "{failure}"),
        }
    }
}

/// A statement, and what policies do to it.
#[derive(Debug, Clone, Serialize)]
pub struct Prediction {
    /// Its place among the statements, from 1 on.
    pub number: usize,
    /// The statement.
    pub statement: Statement,
    /// What tells it from others; see [`Statement::fingerprint`].
    pub fingerprint: String,
    /// The text that was planned, where a pattern stands in it for a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_as: Option<String>,
    /// What happens.
    #[serde(flatten)]
    pub change: Change,
    /// It counts: it fails, or is slower than was allowed.
    pub counts: bool,
}

/// What policies do to a statement.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// COPY into a table fails, as the server has no way to check its rows.
    CopyInFails {
        /// The table.
        table: TableName,
    },
    /// COPY out of a table has the rows of the session's tenant alone.
    CopyOutFiltered {
        /// The table.
        table: TableName,
    },
    /// It switches `row_security` off: each statement after it that a policy filters fails.
    RowSecurityOff,
    /// It loses indexes, by the catalog.
    LosesIndex {
        /// The searches that are lost.
        lost: Vec<LostIndex>,
        /// What it costs now.
        cost: f64,
        /// At most about so many times that: what reading the whole table costs, without the policy's own condition. None where that was not estimated.
        at_most: Option<f64>,
    },
    /// It costs more or loses indexes, as was tried.
    Replanned {
        /// What it costs with the policies, compared with what it costs now.
        ratio: f64,
        /// Now.
        before: PlanSummary,
        /// With the policies.
        after: PlanSummary,
        /// The searches that are lost.
        lost: Vec<LostIndex>,
    },
    /// With the policies it has no plan.
    PlanFails {
        /// What the server said.
        failure: StatementFailure,
    },
}

/// A plan in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanSummary {
    /// What the planner expects it to cost.
    pub cost: f64,
    /// The nodes that read tables.
    pub nodes: Vec<PlanNode>,
}

/// A statement that was not planned.
#[derive(Debug, Clone, Serialize)]
pub struct NotPlanned {
    /// Its place among the statements, from 1 on.
    pub number: usize,
    /// The statement.
    pub statement: Statement,
    /// Why not.
    #[serde(flatten)]
    pub why: WhyNotPlanned,
}

/// Why a statement was not planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum WhyNotPlanned {
    /// It is a command that has no plan.
    Command {
        /// Its first word.
        command: String,
    },
    /// The server refused it.
    Refused {
        /// What it said.
        failure: StatementFailure,
    },
}

impl fmt::Display for WhyNotPlanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { command } => write!(f, "{} has no plan", command.to_uppercase()),
            Self::Refused { failure } => write!(f, "{failure}"),
        }
    }
}

impl PredictReport {
    /// Whether a statement fails or gets slower than was allowed, or something beside them fails.
    pub fn has_findings(&self) -> bool {
        self.predictions.iter().any(|prediction| prediction.counts) || self.effects.iter().any(Effect::fails)
    }
}

impl PredictReport {
    /// The fingerprints of the statements that count or that the server refused to plan, of which nothing is known, but for these.
    pub fn findings_besides(&self, allowed: &[String]) -> Vec<String> {
        let worse = self.predictions.iter().filter(|one| one.counts).map(|one| one.fingerprint.clone());
        let is_refused = |one: &&NotPlanned| matches!(one.why, WhyNotPlanned::Refused { .. });
        let refused = self.not_planned.iter().filter(is_refused).map(|one| one.statement.fingerprint());
        worse.chain(refused).filter(|fingerprint| !allowed.contains(fingerprint)).collect()
    }
}

impl Change {
    /// Whether it counts, where statements may get so many times slower.
    pub(crate) fn counts(&self, slower_than: f64) -> bool {
        match self {
            Self::CopyInFails { .. } | Self::RowSecurityOff | Self::PlanFails { .. } => true,
            Self::CopyOutFiltered { .. } => false,
            Self::LosesIndex { at_most, .. } => at_most.is_none_or(|most| most > slower_than),
            Self::Replanned { ratio, .. } => *ratio > slower_than,
        }
    }

    /// How bad it is; failures are worst, then what is not known.
    pub(crate) fn weight(&self) -> f64 {
        match self {
            Self::CopyInFails { .. } | Self::RowSecurityOff | Self::PlanFails { .. } => f64::INFINITY,
            Self::LosesIndex { at_most, .. } => at_most.unwrap_or(f64::MAX),
            Self::Replanned { ratio, .. } => *ratio,
            Self::CopyOutFiltered { .. } => 0.0,
        }
    }
}
