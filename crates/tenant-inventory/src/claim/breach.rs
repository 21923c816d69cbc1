//! What is wrong with the isolation of tenants, as values; the sentences are made here and nowhere else.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

use super::attempt::AttemptKind;
use super::lack::Lack;
use crate::class::Class;
use crate::declared_login::problem::LoginProblem;
use crate::ways::way::{Reviewable, Way};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "breach", rename_all = "snake_case")]
pub enum Breach {
    /// Row level security is off.
    RowSecurityOff {
        /// Of a partition, the table that it belongs to: it is read past that one's policies.
        partition_of: Option<TableName>,
    },
    /// A permissive policy holds for the login that is not the rollout's, or was altered.
    OtherPolicy {
        /// Its name.
        policy: String,
        /// The role that it holds for: the login, or one that the login can become.
        role: String,
        /// That role is the login.
        is_login: bool,
        /// What the catalog says of it.
        definition: String,
    },
    /// A restrictive policy holds for the login that nobody declared.
    RestrictivePolicy {
        /// Its name.
        policy: String,
        /// The role that it holds for.
        role: String,
        /// What the catalog says of it.
        definition: String,
    },
    /// The policy is the bridge: each tenant sees and takes rows without one.
    Bridge,
    /// Parts of the rollout are missing.
    Incomplete {
        /// Which.
        lacks: Vec<Lack>,
    },
    /// An attempt reached rows that it must not reach.
    Reached {
        /// The attempt.
        what: AttemptKind,
        /// The login.
        login: String,
        /// How many rows; none where the statement was ended at the first one.
        rows: Option<u64>,
        /// Whose.
        whose: Whose,
        /// The policies that may have let it through.
        through: Vec<String>,
    },
    /// A policy let a row in that it must refuse; a constraint refused it afterwards.
    LetIn {
        /// The attempt.
        what: AttemptKind,
        /// The login.
        login: String,
        /// What the constraint said.
        message: String,
        /// The policies that may have let it through.
        through: Vec<String>,
    },
    /// A tenant did not see all of its own rows, or did not reach one that it wrote.
    Hidden {
        /// The attempt.
        what: AttemptKind,
        /// The login.
        login: String,
        /// How many rows there are.
        of: u64,
        /// How many of them were reached.
        rows: u64,
        /// The policies that may have hidden them.
        through: Vec<String>,
    },
    /// A policy refused a tenant's own row.
    Refused {
        /// The attempt.
        what: AttemptKind,
        /// The login.
        login: String,
        /// What the server said.
        message: String,
    },
    /// A policy raised an error.
    Raised {
        /// The attempt.
        what: AttemptKind,
        /// The login.
        login: String,
        /// What the server said.
        message: String,
        /// The policies that may have raised it.
        through: Vec<String>,
    },
    /// The login reaches a table whose rows belong to tenants, or look as if they did, and which no policy protects.
    Exposed {
        /// What the table is to the tenants.
        #[serde(flatten)]
        class: Class,
        /// The role that has the rights: the login, or one that it can become.
        role: String,
        /// The rights.
        rights: Vec<String>,
    },
    /// The session variable has a value before the application sets one.
    Preset {
        /// The variable.
        variable: String,
        /// The value.
        value: String,
        /// The login.
        login: String,
    },
    /// The login runs with `row_security = off`, so the server refuses what a policy would filter.
    RowSecuritySetting {
        /// The login.
        login: String,
    },
    /// A declared login is not as it is declared.
    Login {
        /// What is not.
        problem: Box<LoginProblem>,
    },
    /// A view, a function or something else leads past the policies.
    Way {
        /// What it is and how it leads there.
        way: Box<Way>,
        /// What an attempt showed; none where the catalog decides.
        shows: Option<String>,
    },
}

/// Whose rows were reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Those of other tenants.
    OtherTenants,
    /// Those without a tenant.
    Nobody,
}

impl Breach {
    /// Whether somebody reaches what is another tenant's, or nobody's. Anything else leaves the isolation unproven.
    pub fn crosses_tenants(&self) -> bool {
        match self {
            Self::RowSecurityOff { .. }
            | Self::OtherPolicy { .. }
            | Self::Bridge
            | Self::Reached { .. }
            | Self::LetIn { .. }
            | Self::Exposed { .. }
            | Self::Preset { .. }
            | Self::Way { .. } => true,
            Self::Login { problem } => problem.what.reaches_more(),
            Self::RestrictivePolicy { .. }
            | Self::Incomplete { .. }
            | Self::Hidden { .. }
            | Self::Refused { .. }
            | Self::Raised { .. }
            | Self::RowSecuritySetting { .. } => false,
        }
    }

    /// The same, with the policies that may have let it through.
    #[must_use]
    pub fn through_policies(mut self, policies: &[String]) -> Self {
        if let Self::Reached { through, .. }
        | Self::LetIn { through, .. }
        | Self::Hidden { through, .. }
        | Self::Raised { through, .. } = &mut self
        {
            *through = policies.to_vec();
        }
        self
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowSecurityOff { partition_of: None } => f.write_str("row level security is off"),
            Self::RowSecurityOff { partition_of: Some(root) } => {
                write!(f, "row level security is off, and a partition of {root} is read past its policies")
            }
            Self::OtherPolicy { policy, role, is_login, definition } => {
                let whom = if *is_login { String::new() } else { format!(" to {role}, which the login can become") };
                write!(f, "the policy \"{policy}\" is not the rollout's, and lets rows through{whom}: {definition}")
            }
            Self::RestrictivePolicy { policy, role, definition } => write!(
                f,
                "the restrictive policy \"{policy}\" narrows what {role} reaches, and is not declared (allow_policies): {definition}"
            ),
            Self::Bridge => f.write_str("the bridging policy is on: each tenant sees and takes rows without one"),
            Self::Incomplete { lacks } => {
                let lacks: Vec<String> = lacks.iter().map(ToString::to_string).collect();
                write!(f, "it lacks parts of the rollout: {}", lacks.join("; "))
            }
            Self::Reached { what, login, rows, whose, through } => {
                let rows = rows.map_or_else(|| "rows".to_owned(), |rows| format!("{rows} rows"));
                let done = if what.writes() { "are written" } else { "are seen" };
                write!(f, "leak as {login}, {what}: {rows} {whose} {done}{}", Through(through))
            }
            Self::LetIn { what, login, message, through } => write!(
                f,
                "leak as {login}, {what}: the policies let the row in, and only a constraint refused it: {message}{}",
                Through(through)
            ),
            Self::Hidden { what, login, of, rows, through } => {
                write!(f, "hidden as {login}, {what}: of {of} rows {rows} are reached{}", Through(through))
            }
            Self::Refused { what, login, message } => write!(f, "refused as {login}, {what}: {message}"),
            Self::Raised { what, login, message, through } => {
                write!(f, "error as {login}, {what}: {message}{}", Through(through))
            }
            Self::Exposed { class, role, rights } => {
                write!(f, "{role} has {} on it, and no policy protects it: {class}", rights.join(", "))
            }
            Self::Preset { variable, value, login } => write!(
                f,
                "{variable} is {value} before {login} sets anything: by ALTER ROLE or ALTER DATABASE, by the URL, or left behind in a pool"
            ),
            Self::RowSecuritySetting { login } => write!(
                f,
                "row_security is off for {login}, by ALTER ROLE or ALTER DATABASE or its URL: the server refuses what a policy would filter"
            ),
            Self::Login { problem } => write!(f, "{problem}; {}", problem.hint()),
            Self::Way { way, shows } => {
                way.fmt(f)?;
                shows.as_ref().map_or(Ok(()), |shows| write!(f, "; {shows}"))?;
                way.closing.as_ref().map_or(Ok(()), |closing| write!(f, "; this closes it: {closing}"))?;
                match &way.review {
                    Reviewable::NotCode => Ok(()),
                    review => write!(f, "; {review}"),
                }
            }
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherTenants => "of others",
            Self::Nobody => "without a tenant",
        })
    }
}

/// The policies that may have let something through.
struct Through<'a>(&'a [String]);

impl fmt::Display for Through<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            [one] => write!(f, ", through the policy \"{one}\""),
            several => write!(f, ", through one of the policies \"{}\"", several.join("\", \"")),
        }
    }
}
