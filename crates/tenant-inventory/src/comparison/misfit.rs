//! What `tenancy.toml` declares of something that is there, and that does not fit it.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

use crate::sign_in::problem::{SignInProblem, SignInProblemKind};
use crate::unlinked::Unlinked;
use crate::ways::way::Reviewable;

/// A declaration that does not fit what the database has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// Where it stands in the file, such as `tables.bookings.shared_rows`.
    pub key: String,
    /// What does not fit.
    #[serde(flatten)]
    pub what: MisfitKind,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "misfit", rename_all = "snake_case")]
pub enum MisfitKind {
    /// The review is of another state of the object.
    ReviewOutdated {
        /// The object, in words.
        object: String,
        /// The hash that the file declares.
        declared: String,
        /// What a review is pinned to now.
        needs: Reviewable,
    },
    /// Nothing that the review says is asked for.
    ReviewNotNeeded {
        /// Why not.
        #[serde(flatten)]
        why: NoReviewNeeded,
    },
    /// Rows without a tenant are declared to be meant, and there can be none.
    NoRowsWithoutTenant {
        /// The table.
        table: TableName,
        /// Its tenant column, which cannot be NULL.
        column: String,
    },
    /// Rows without a tenant are declared to be the platform's, and nobody says why.
    ReasonMissing,
    /// The table has no foreign key to a table whose rows belong to tenants.
    NoReference {
        /// The table.
        table: TableName,
    },
    /// A declaration about the tenants of the rows of the tenant table, which are the tenants.
    OfRegistry,
    /// The rows are not protected through the table that is declared.
    NotThrough {
        /// Why not.
        #[serde(flatten)]
        why: Unlinked,
    },
    /// The policy is the rollout's own, which needs no permission.
    OwnPolicy {
        /// The policy.
        policy: String,
    },
    /// The login of sign-in is not as it is declared.
    SignIn {
        /// What is not.
        problem: SignInProblem,
    },
}

/// Why a review is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum NoReviewNeeded {
    /// It leads past no policy.
    NoWay,
    /// It leads past policies, and the login cannot take it.
    Closed {
        /// Why not.
        why: String,
    },
    /// It depends on what rows reference, or is a right or a role, which a review does not change.
    NotCode,
    /// The login of the application does not exist, so nothing is known about it.
    NoLogin,
}

impl Misfit {
    /// Whether it is a piece of advice: what is declared holds all the same.
    pub fn is_advice(&self) -> bool {
        match &self.what {
            MisfitKind::ReasonMissing | MisfitKind::ReviewNotNeeded { .. } => true,
            // Before a rollout it is as it must be.
            MisfitKind::SignIn { problem } => {
                let what = &problem.what;
                what.is_made_by_rollout() || what.is_of_this_login() || matches!(what, SignInProblemKind::NoRole { .. })
            }
            _ => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match &self.what {
            MisfitKind::ReviewOutdated { needs: Reviewable::Hash { hash }, .. } => {
                format!("read it again; if it still keeps tenants apart: hash = \"{hash}\"")
            }
            MisfitKind::ReviewOutdated { .. } => {
                "ALTER FUNCTION … SET search_path = …, and read it again: `rls verify` prints the hash".to_owned()
            }
            MisfitKind::ReviewNotNeeded { why: NoReviewNeeded::NoLogin } => "correct roles.app".to_owned(),
            MisfitKind::ReviewNotNeeded { .. } | MisfitKind::OfRegistry | MisfitKind::OwnPolicy { .. } => {
                "take it out".to_owned()
            }
            MisfitKind::NoRowsWithoutTenant { column, .. } => {
                format!("take it out, or ALTER COLUMN {column} DROP NOT NULL where such rows are to come")
            }
            MisfitKind::ReasonMissing => "platform_rows = \"why\", which reports repeat".to_owned(),
            MisfitKind::NoReference { .. } => "take it out, or add the foreign key that it is about".to_owned(),
            MisfitKind::SignIn { problem } => problem.hint(),
            MisfitKind::NotThrough { why } => why.hint().unwrap_or_else(|| "give the table a tenant column".to_owned()),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        match &self.what {
            MisfitKind::ReviewOutdated { object, declared, needs } => {
                write!(f, "{object} is no longer as it was reviewed ({declared}); now {needs}")
            }
            MisfitKind::ReviewNotNeeded { why } => write!(f, "no review is asked for: {why}"),
            MisfitKind::NoRowsWithoutTenant { table, column } => {
                write!(f, "{table} has no rows without a tenant, as {column} cannot be NULL")
            }
            MisfitKind::ReasonMissing => f.write_str("no reason is given"),
            MisfitKind::NoReference { table } => {
                write!(f, "no foreign key of {table} leads to a table whose rows belong to tenants")
            }
            MisfitKind::OfRegistry => f.write_str("it is the tenant table, whose rows are the tenants themselves"),
            MisfitKind::NotThrough { why } => write!(f, "it does not protect the table: {why}"),
            MisfitKind::SignIn { problem } => problem.fmt(f),
            MisfitKind::OwnPolicy { policy } => write!(f, "the policy \"{policy}\" is the rollout's own"),
        }
    }
}

impl fmt::Display for NoReviewNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWay => f.write_str("it leads past no policy"),
            Self::Closed { why } => f.write_str(why),
            Self::NotCode => f.write_str("a review changes nothing about a right, a role or a foreign key"),
            Self::NoLogin => f.write_str("there is no login for which it could be a way past the policies"),
        }
    }
}
