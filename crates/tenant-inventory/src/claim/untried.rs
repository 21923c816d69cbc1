//! Why a check was not made.

use std::fmt;

use serde::Serialize;

use crate::ways::state::Review;
use crate::ways::way::{Reviewable, Unreadable};

/// Why a check was not made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Untried {
    /// No tenant has a row in the table.
    NoRows,
    /// Only one tenant has rows in the table.
    OneTenant,
    /// The table has no primary key by which a row could be found again.
    NoKey,
    /// Writing was not asked for.
    WritesNotAsked,
    /// Triggers of this table would fire.
    TriggersWouldFire {
        /// The table.
        table: String,
    },
    /// The login lacks a right, so the server refused before it looked at a policy.
    NoRight {
        /// What the server said.
        message: String,
    },
    /// No role of the login that prepares the attempts sees the table's rows.
    NoReader {
        /// What is missing.
        message: String,
    },
    /// A lock or a limit of time was in the way.
    HeldUp {
        /// What the server said.
        message: String,
    },
    /// The rows are on another server.
    Foreign,
    /// A foreign key begins or ends at a table whose rows depend on others: their tenants are not compared along it.
    RowsDepend,
    /// It cannot be read where a way past the policies leads, and nobody has declared a review of it.
    NotReviewed {
        /// The way, in words.
        way: String,
        /// Why it cannot be read.
        why: Unreadable,
        /// The hash in `tenancy.toml`, where the review there is of another state of it.
        outdated: Option<String>,
        /// What a review would be pinned to.
        review: Reviewable,
    },
    /// Nobody said how a declared login logs in.
    NoLoginUrl {
        /// The variable that would say so.
        variable: String,
    },
    /// No row can show what a declared login writes: it has no policies, or the login may not read what it writes, or the key.
    LoginWrites,
    /// A statement failed for a reason that says nothing about policies.
    Failed {
        /// What the server said.
        message: String,
    },
}

impl Untried {
    /// Whether the definition of the table can stand in for the attempt: nothing failed that may go differently at the next try, and nobody was
    /// blind.
    pub fn leaves_the_definition(&self) -> bool {
        match self {
            Self::NoRows
            | Self::OneTenant
            | Self::NoKey
            | Self::WritesNotAsked
            | Self::TriggersWouldFire { .. }
            | Self::NoRight { .. }
            | Self::Failed { .. } => true,
            Self::NoLoginUrl { .. }
            | Self::LoginWrites
            | Self::NoReader { .. }
            | Self::HeldUp { .. }
            | Self::Foreign
            | Self::RowsDepend
            | Self::NotReviewed { .. } => false,
        }
    }
}

impl fmt::Display for Untried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRows => f.write_str("no tenant has rows there"),
            Self::OneTenant => f.write_str("only one tenant has rows there"),
            Self::NoKey => f.write_str("it has no primary key"),
            Self::WritesNotAsked => f.write_str("writing was not asked for (--write-probes)"),
            Self::TriggersWouldFire { table } => {
                write!(f, "triggers of {table} would fire; --fire-triggers lets them")
            }
            Self::Foreign => f.write_str("its rows are on another server"),
            Self::RowsDepend => {
                f.write_str("the tenants of rows that depend on other rows are not compared along such a key")
            }
            Self::NotReviewed { way, why, outdated: None, review } => write!(f, "{way}; {why}; {review}"),
            Self::NotReviewed { way, why, outdated: Some(hash), review } => {
                let outdated = Review::Outdated { hash: hash.clone() };
                write!(f, "{way}; {why}; {outdated}; now {review}")
            }
            Self::NoLoginUrl { variable } => write!(f, "nobody said how it logs in: set {variable} to its URL"),
            Self::LoginWrites => f.write_str("its rights and policies in the catalog say so"),
            Self::NoRight { message }
            | Self::NoReader { message }
            | Self::HeldUp { message }
            | Self::Failed { message } => f.write_str(message),
        }
    }
}
