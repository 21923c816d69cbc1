//! What `tenancy.toml` declares of something that is there, and that does not fit it.

use std::fmt;

use serde::Serialize;
use tenancy_config::{Ident, TableName, why_and_cause};
use tenant_rls::Template;

use crate::declared_login::problem::{LoginProblem, LoginProblemKind};
use crate::unhandled::Unlinked;
use crate::ways::way::{Reach, Reviewable, WayVerdict};

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
    /// A table of a declared login has no policies and gets none, and the application's own login reads or writes its rows, too.
    OpenToApplication {
        /// The table.
        table: TableName,
        /// The application's login.
        login: Ident,
    },
    /// A declared login is not as it is declared.
    Login {
        /// What is not.
        problem: LoginProblem,
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
        #[serde(flatten, serialize_with = "why_and_cause")]
        cause: WhyClosed,
    },
    /// It depends on what rows reference, or is a right or a role, which a review does not change.
    NotCode,
    /// The login of the application does not exist, so nothing is known about it.
    NoLogin,
}

/// Why the login cannot take a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum WhyClosed {
    /// Something keeps it from that.
    Reach {
        /// How it would take the way, and what is in between.
        reach: Reach,
    },
    /// FORCE holds the owner, who can switch it off.
    CanSwitchOff,
}

impl Misfit {
    /// Whether it is a piece of advice: what is declared holds all the same.
    pub fn is_advice(&self) -> bool {
        match &self.what {
            MisfitKind::ReasonMissing | MisfitKind::ReviewNotNeeded { .. } | MisfitKind::OpenToApplication { .. } => {
                true
            }
            // Before a rollout it is as it must be.
            MisfitKind::Login { problem } => {
                let what = &problem.what;
                what.is_made_by_rollout() || what.is_of_this_login() || matches!(what, LoginProblemKind::NoRole { .. })
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
            MisfitKind::OpenToApplication { table, login } => {
                let revoke = Template::new("REVOKE ALL ON :\"table\" FROM :\"login\"")
                    .table("table", table)
                    .ident("login", login);
                format!(
                    "once the declared login uses it: {}; or protect it (`through`, `add_column`)",
                    revoke.build().as_str()
                )
            }
            MisfitKind::Login { problem } => problem.hint(),
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
            MisfitKind::OpenToApplication { table, login } => write!(
                f,
                "{table} has no way to a tenant and gets no policies: {login}, the application's own login, reaches every row of it"
            ),
            MisfitKind::Login { problem } => problem.fmt(f),
            MisfitKind::OwnPolicy { policy } => write!(f, "the policy \"{policy}\" is the rollout's own"),
        }
    }
}

impl fmt::Display for WhyClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reach { reach } => reach.fmt(f),
            Self::CanSwitchOff => WayVerdict::CanSwitchOff.fmt(f),
        }
    }
}

impl fmt::Display for NoReviewNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWay => f.write_str("it leads past no policy"),
            Self::Closed { cause } => cause.fmt(f),
            Self::NotCode => f.write_str("a review changes nothing about a right, a role or a foreign key"),
            Self::NoLogin => f.write_str("there is no login for which it could be a way past the policies"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::unhandled::Unhandled;

    /// The JSON of a misfit.
    fn json_of(what: MisfitKind) -> serde_json::Value {
        serde_json::to_value(Misfit { key: "k".to_owned(), what }).unwrap()
    }

    #[test]
    fn a_review_that_nobody_asks_for_has_its_reason_as_sentence_and_as_value() {
        let reach = Reach::Calls { role: "app".to_owned() };
        let says = reach.to_string();
        let switch = WayVerdict::CanSwitchOff.to_string();
        for (cause, says, json) in [
            (WhyClosed::Reach { reach }, says, json!({"reason": "reach", "reach": {"by": "calls", "role": "app"}})),
            (WhyClosed::CanSwitchOff, switch, json!({"reason": "can_switch_off"})),
        ] {
            let why = NoReviewNeeded::Closed { cause };
            assert_eq!(why.to_string(), says);
            let expected = json!({"because": "closed", "why": says, "cause": json});
            assert_eq!(serde_json::to_value(why).unwrap(), expected);
        }
    }

    #[test]
    fn what_cannot_be_protected_through_another_table_has_the_cause_of_either() {
        let table = || TableName::parse("t", "public").unwrap();
        let cause = || Box::new(Unhandled::Identity);
        let says = Unhandled::Identity.to_string();
        let own = Unlinked::Table { cause: cause() };
        assert_eq!(own.to_string(), says);
        let json = json_of(MisfitKind::NotThrough { why: own });
        assert_eq!((&json["misfit"], &json["reason"]), (&json!("not_through"), &json!("table")));
        assert_eq!((&json["why"], &json["cause"]), (&json!(says), &json!({"reason": "identity"})));
        let parent = Unlinked::Parent { table: table(), cause: cause() };
        assert_eq!(parent.to_string(), format!("public.t, on which its rows hang, cannot be protected: {says}"));
        let expected = json!({"reason": "parent", "table": "public.t", "why": says, "cause": {"reason": "identity"}});
        assert_eq!(serde_json::to_value(parent).unwrap(), expected);
    }
}
