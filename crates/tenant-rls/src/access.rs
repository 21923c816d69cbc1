//! What a job needs from a table, the role that it acts as, and why a role cannot be used.

use std::fmt;

use serde::Serialize;
use tenancy_config::{CommandRef, Hint, Ident, TableName};

use crate::sql::quote::Quoted;

/// What a job needs from one table.
#[derive(Debug, Clone)]
pub struct Access {
    /// The table.
    pub table: TableName,
    /// Columns that the job reads; `ctid` is listed if it is read.
    pub read: Vec<Ident>,
    /// The tenant column, if the job fills it.
    pub write: Option<Ident>,
}

/// The role that statements run as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActingRole {
    /// The role of the login.
    Login(String),
    /// Another role, set with `SET LOCAL ROLE`.
    Assumed(Ident),
}

impl ActingRole {
    /// The role to set, if it is not the login's.
    pub fn assumed(&self) -> Option<&str> {
        match self {
            Self::Login(_) => None,
            Self::Assumed(role) => Some(role.as_str()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Login(name) => name,
            Self::Assumed(role) => role.as_str(),
        }
    }
}

impl fmt::Display for ActingRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a role cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    pub(crate) role: String,
    pub(crate) table: Option<TableName>,
    /// It is one of the rollout's roles, to which a rollout grants rights, and not the login.
    #[serde(skip)]
    pub(crate) of_rollout: bool,
    #[serde(flatten)]
    pub(crate) why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "obstacle", rename_all = "snake_case")]
pub(crate) enum Why {
    CannotAssume,
    NoTable,
    Filtered { verb: &'static str },
    Restricted { policy: String },
    NoRight { verb: &'static str, columns: Vec<String> },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = &self.role;
        let table = self.table.as_ref().map(ToString::to_string).unwrap_or_default();
        match &self.why {
            Why::CannotAssume => write!(f, "this login cannot act as {role}"),
            Why::NoTable => write!(f, "{role} finds no table {table}"),
            Why::Filtered { verb } => write!(f, "row level security filters what {role} may {verb} in {table}"),
            Why::Restricted { policy } => {
                write!(f, "the restrictive policy \"{policy}\" hides rows of {table} from {role}")
            }
            Why::NoRight { verb, columns } => write!(f, "{role} may not {verb} {} of {table}", columns.join(", ")),
        }
    }
}

impl Obstacle {
    /// Whether a policy hides rows from the role, or may.
    pub fn filters(&self) -> bool {
        matches!(self.why, Why::Filtered { .. } | Why::Restricted { .. })
    }

    /// What makes one of the roles usable: the rights that a role lacks, if it lacks nothing else; otherwise the hint of the first obstacle that has
    /// one.
    pub fn remedy(list: &[Self]) -> Option<Hint> {
        let nearest = Self::nearest(list);
        if nearest.iter().all(|one| one.is_right()) && !nearest.is_empty() {
            let of_rollout = nearest.iter().all(|one| one.of_rollout);
            let statements = nearest.into_iter().filter_map(Self::hint).map(|hint| hint.to_string());
            let statements = statements.collect::<Vec<_>>().join(" ");
            if !of_rollout {
                return Some(statements.into());
            }
            // A source that was declared since the last rollout, a table that was added.
            let says = " gives its roles what tenancy.toml asks for now, on the tables that it covers; for other tables, by hand: ";
            return Some(Hint::quoted(CommandRef::RlsRollout).then(says).then(statements));
        }
        list.iter().find_map(Self::hint)
    }

    /// The obstacles of the role that lacks the least: one that only lacks rights, if there is one, and of these the first with the fewest.
    pub fn nearest(list: &[Self]) -> Vec<&Self> {
        let of = |role: &str| list.iter().filter(|one| one.role == role).collect::<Vec<_>>();
        let roles = list.iter().map(|one| of(&one.role));
        roles.min_by_key(|of_role| (!of_role.iter().all(|one| one.is_right()), of_role.len())).unwrap_or_default()
    }

    fn is_right(&self) -> bool {
        matches!(self.why, Why::NoRight { .. })
    }

    /// The statement that grants the missing right.
    pub(crate) fn hint(&self) -> Option<Hint> {
        let role = Ident::new(&self.role).ok()?.quoted();
        let table = self.table.as_ref().map(TableName::quoted).unwrap_or_default();
        match &self.why {
            Why::CannotAssume | Why::NoTable => None,
            Why::Filtered { .. } => Some(
                Hint::from(
                    "connect as a role that sees every row (superuser or BYPASSRLS), or let the rollout give its roles \
                     their policies: ",
                )
                .then_run(CommandRef::RlsPlanPrepare)
                .then(" shows them"),
            ),
            Why::Restricted { policy } => Some(
                format!(
                    "let the policy apply to the application's role only: ALTER POLICY {} ON {table} TO …;",
                    Ident::new(policy).ok()?.quoted()
                )
                .into(),
            ),
            Why::NoRight { verb, columns } => {
                let list: Option<Vec<String>> = columns.iter().map(|c| Some(Ident::new(c).ok()?.quoted())).collect();
                Some(format!("GRANT {} ({}) ON {table} TO {role};", verb.to_uppercase(), list?.join(", ")).into())
            }
        }
    }
}
