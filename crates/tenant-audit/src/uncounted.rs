//! Why a table could not be counted. That is a finding of this table; the others are counted all the same.

use std::fmt;

use serde::Serialize;
use tenancy_config::{Hint, TableName};
use tenant_rls::{Error as RlsError, Obstacle, StatementFailure};

use crate::error::Error;

/// A table that could not be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UncountedTable {
    /// The table.
    pub table: TableName,
    /// Why not.
    #[serde(flatten)]
    pub why: Uncounted,
    /// What to do about it: a statement, or words; none where nothing but the reason is known.
    pub remedy: Option<Hint>,
}

/// A part of a table's count that could not be made. The rest of the table was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UncountedPart {
    /// The part.
    #[serde(flatten)]
    pub part: CountPart,
    /// Why not.
    #[serde(flatten)]
    pub why: Uncounted,
    /// What to do about it, as in [`UncountedTable::remedy`].
    pub remedy: Option<Hint>,
}

/// A part of a table's count that reads another table, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum CountPart {
    /// Rows whose tenant does not exist.
    Ghosts,
    /// Rows that reference another tenant's row by a foreign key.
    Reference {
        /// The constraint.
        constraint: String,
        /// The table that it references.
        references: TableName,
    },
}

impl UncountedPart {
    pub(crate) fn new(part: CountPart, why: Uncounted) -> Self {
        Self { part, remedy: why.remedy(), why }
    }
}

impl fmt::Display for UncountedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            CountPart::Ghosts => f.write_str("rows of tenants that do not exist")?,
            CountPart::Reference { constraint, references } => {
                write!(f, "rows that reference another tenant's row of {references} by \"{constraint}\"")?;
            }
        }
        write!(f, " were not counted: {}", self.why)
    }
}

/// Why a table could not be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Uncounted {
    /// Each role that may read it is filtered or lacks a right, on the table itself or on one that it references.
    CannotSee {
        /// What is in the way of each role.
        obstacles: Vec<Obstacle>,
    },
    /// A policy ends in an error instead of an answer.
    PolicyFails {
        /// The table of the policy: this one, or one that it references.
        of: TableName,
        /// The policy.
        policy: String,
        /// The SQLSTATE.
        sqlstate: String,
        /// What the server said.
        error: String,
    },
    /// It was created, rewritten or truncated while the audit ran: to the snapshot it looks empty.
    Rewritten {
        /// The table that was rewritten: this one, or one that it references.
        of: TableName,
    },
    /// The statement failed for another reason.
    #[serde(untagged)]
    Failed(StatementFailure),
}

impl Uncounted {
    /// The reason in an error that ended the count of one table.
    pub(crate) fn of(error: Error) -> Self {
        match error {
            Error::Rewritten { table } => Self::Rewritten { of: table },
            Error::Database(RlsError::CannotSee(obstacles)) => Self::CannotSee { obstacles },
            Error::Database(RlsError::PolicyFails { table, policy, source }) => Self::PolicyFails {
                of: *table,
                policy,
                sqlstate: source.sqlstate().unwrap_or_default().to_owned(),
                error: source.to_string(),
            },
            Error::Database(error) => Self::Failed(StatementFailure::from(&error)),
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> Option<Hint> {
        match self {
            Self::CannotSee { obstacles } => Obstacle::remedy(obstacles),
            Self::PolicyFails { policy, of, .. } => Some(format!(
                "change the policy \"{policy}\" of {of} so that it answers without its setting, such as current_setting(…, true), or drop it"
            ).into()),
            Self::Rewritten { .. } => Some("run the audit again when the migration is through".into()),
            Self::Failed(StatementFailure::Locked { .. } | StatementFailure::Lost { .. }) => Some("run the audit again".into()),
            Self::Failed(StatementFailure::Refused { .. }) => None,
        }
    }
}

impl fmt::Display for Uncounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotSee { obstacles } => {
                let nearest: Vec<String> = Obstacle::nearest(obstacles).iter().map(ToString::to_string).collect();
                write!(f, "no role of this login sees all of its rows: {}", nearest.join("; "))
            }
            Self::PolicyFails { of, policy, error, .. } => write!(f, "the policy \"{policy}\" of {of} fails: {error}"),
            Self::Rewritten { of } => write!(f, "{of} was created, rewritten or truncated while the audit ran"),
            Self::Failed(why) => why.fmt(f),
        }
    }
}
