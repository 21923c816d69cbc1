//! Why a table does not go on, as values. Status, plan, preflight and rollout share them.

use std::fmt;

use serde::{Serialize, Serializer};
use tenancy_config::tenancy::LoginPurpose;
use tenancy_config::{CommandRef, TableName};
use tenant_audit::Uncounted;
use tenant_inventory::class::Unhandled;
use tenant_inventory::{LoginProblem, Phase, PolicyReading, Unfiltered};

use crate::blocker::Blocker;

/// Why a table does not go on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Stop {
    /// Row level security of ours cannot protect it.
    Unhandled {
        /// Why not.
        why: Unhandled,
    },
    /// A permissive policy of others lets more through. `--adopt` replaces it.
    OtherPolicy {
        /// The policy.
        policy: String,
        /// Its definition, as the catalog has it.
        definition: String,
    },
    /// A policy that would be replaced reads another setting than ours, or another claim, which the application then sets.
    OtherVariable {
        /// The policy.
        policy: String,
        /// The setting that it reads.
        variable: String,
        /// Its definition, as the catalog has it.
        definition: String,
    },
    /// A policy that would be replaced decides by the user of the session, not by a tenant that the application sets.
    ByUser {
        /// The policy.
        policy: String,
        /// By what it decides. JSON has it in words too, in `decides`.
        #[serde(flatten, serialize_with = "decides")]
        reading: PolicyReading,
        /// Its definition, as the catalog has it.
        definition: String,
    },
    /// A policy that would be replaced may hide rows without a tenant, or show them: its condition does not tell.
    UnclearPolicy {
        /// The policy.
        policy: String,
        /// Its definition, as the catalog has it.
        definition: String,
    },
    /// The audit could not count it.
    NotCounted {
        /// Why not; none where the audit does not know the table.
        why: Option<Uncounted>,
    },
    /// Rows that a strict policy would hide from everybody.
    RowsWithoutTenant {
        /// How many there are.
        rows: u64,
    },
    /// Rows whose tenant is the empty string.
    EmptyTenant {
        /// How many there are.
        rows: u64,
    },
    /// Rows of tenants that do not exist.
    GhostTenant {
        /// How many there are.
        rows: u64,
    },
    /// Rows that reference another tenant's row.
    CrossTenantReferences {
        /// How many there are.
        rows: u64,
    },
    /// Its foreign key cannot be proven: this login is filtered, and lifting FORCE meanwhile would open the table to the application.
    BlindValidation {
        /// The application's role, which is or may become the owner.
        app_role: String,
    },
    /// There is no role as which the application is said to log in.
    NoAppRole {
        /// The name.
        role: String,
    },
    /// No policy filters the application, or a role that it can become.
    AppRoleUnfiltered {
        /// The application's role.
        app_role: String,
        /// That role, or one that it can become.
        role: String,
        /// Why no policy filters it.
        why: Unfiltered,
    },
    /// The application's role may not read the columns that its policy compares: each statement would fail.
    ParentUnreadable {
        /// The table on which its rows hang.
        table: TableName,
        /// The columns there.
        columns: Vec<String>,
        /// The application's role.
        role: String,
    },
    /// The table on which its rows hang is none of those that were asked for.
    ParentNotAskedFor {
        /// That table.
        table: TableName,
    },
    /// The table on which its rows hang may still have rows without a tenant, and a strict policy would hide what depends on those.
    ParentStopped {
        /// That table.
        table: TableName,
    },
    /// It did not reach the phase before.
    PhaseBefore {
        /// That phase.
        phase: Phase,
    },
    /// A row came in after the audit that a constraint does not allow.
    RowAfterAudit {
        /// What the server said.
        message: String,
    },
    /// A session held a lock on it for longer than the rollout waited. The steps before it stay, and the other tables go on.
    Locked {
        /// The step, as a phrase.
        step: &'static str,
        /// How often it was tried.
        attempts: u32,
        /// Who held a lock at the last attempt.
        blockers: Vec<Blocker>,
    },
    /// The rows could not be given the tenant of the rows that they point to. What was written stays.
    NotFilled {
        /// What the error said that ended the backfill.
        message: String,
    },
    /// A declared login is not as it is declared, and a rollout cannot mend that.
    Login {
        /// What is not.
        problem: Box<LoginProblem>,
    },
    /// It is a table of a declared login, which has not what it needs: under policies, sign-in or the job would fail.
    LoginFirst {
        /// What the login is for.
        #[serde(flatten)]
        purpose: LoginPurpose,
        /// The role.
        role: String,
    },
    /// A role has from rollouts what `tenancy.toml` declares no more, and the server does not let it go.
    LeftKept {
        /// The role.
        role: String,
        /// What the server said.
        message: String,
    },
    /// Somebody changed what a role has from rollouts and `tenancy.toml` declares no more.
    LeftAltered {
        /// The role.
        role: String,
        /// What was changed.
        what: String,
    },
    /// The server refused a step. The steps before it stay, and the other tables go on.
    StepFailed {
        /// The step, as a phrase.
        step: &'static str,
        /// What the server said.
        message: String,
    },
}

impl Stop {
    pub(crate) fn unfiltered(app_role: &str, role: &str, why: &Unfiltered) -> Self {
        Self::AppRoleUnfiltered { app_role: app_role.to_owned(), role: role.to_owned(), why: why.clone() }
    }
}

/// What lets a stopped table go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Rows are mended, or declared. An audit shows them.
    Rows,
    /// What kept the audit from counting is mended. An audit names it with the statement.
    Counting,
    /// The definition of the table is changed.
    Definition,
    /// A policy of others is replaced or dropped.
    Policies,
    /// The application is given a login that policies filter.
    Login,
    /// A declared login is mended.
    DeclaredLogin,
    /// The table on which its rows hang goes on, and the application may read it.
    Parent,
    /// The session that holds the lock ends.
    Locks,
    /// What the server said is mended.
    ServerMessage,
}

impl Stop {
    /// What lets the table go on.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unhandled { .. } => Remedy::Definition,
            Self::OtherPolicy { .. }
            | Self::OtherVariable { .. }
            | Self::ByUser { .. }
            | Self::UnclearPolicy { .. } => Remedy::Policies,
            Self::NotCounted { .. } => Remedy::Counting,
            Self::RowsWithoutTenant { .. }
            | Self::EmptyTenant { .. }
            | Self::GhostTenant { .. }
            | Self::CrossTenantReferences { .. }
            | Self::RowAfterAudit { .. } => Remedy::Rows,
            Self::BlindValidation { .. } | Self::NoAppRole { .. } | Self::AppRoleUnfiltered { .. } => Remedy::Login,
            Self::ParentUnreadable { .. } | Self::ParentNotAskedFor { .. } | Self::ParentStopped { .. } => {
                Remedy::Parent
            }
            Self::Login { .. } | Self::LoginFirst { .. } | Self::LeftAltered { .. } => Remedy::DeclaredLogin,
            Self::Locked { .. } => Remedy::Locks,
            Self::PhaseBefore { .. } | Self::StepFailed { .. } | Self::NotFilled { .. } | Self::LeftKept { .. } => {
                Remedy::ServerMessage
            }
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unhandled { why } => write!(f, "it cannot be put under row level security: {why}"),
            Self::OtherPolicy { policy, .. } => write!(
                f,
                "the permissive policy \"{policy}\" would let through what ours does not; --adopt replaces it"
            ),
            Self::OtherVariable { policy, variable, .. } => write!(
                f,
                "the policy \"{policy}\" reads {variable}: an application that sets that would see no rows under our policy; name it \
                 in [session] of tenancy.toml, as `variable` and `claim`, or drop the policy"
            ),
            Self::ByUser { policy, reading, .. } => write!(
                f,
                "the policy \"{policy}\" would be replaced by one that asks for the session's tenant, and {reading}: an application that sets no \
                 tenant would see no rows; declare the policy in `allow_policies`, or drop it"
            ),
            Self::UnclearPolicy { policy, .. } => write!(
                f,
                "the policy \"{policy}\" would be replaced, and its condition does not tell whether it shows rows without a tenant; drop it \
                 by hand"
            ),
            Self::NotCounted { why: Some(why) } => write!(f, "the audit could not count it: {why}"),
            Self::NotCounted { why: None } => f.write_str("the audit does not know it"),
            Self::RowsWithoutTenant { rows } => write!(f, "rows without a tenant: {rows}"),
            Self::EmptyTenant { rows } => write!(f, "rows with the empty string as tenant: {rows}"),
            Self::GhostTenant { rows } => write!(f, "rows of a tenant that does not exist: {rows}"),
            Self::CrossTenantReferences { rows } => write!(f, "rows that reference another tenant's row: {rows}"),
            Self::BlindValidation { app_role } => write!(
                f,
                "its foreign key to the tenants is not proven, this login does not see every row, and lifting FORCE meanwhile would show \
                 the application every tenant's rows, as {app_role} is or may become the owner; run it as a role that is not filtered"
            ),
            Self::NoAppRole { role } => {
                write!(
                    f,
                    "there is no role {role}, as which the application is said to log in; --app-role names another"
                )
            }
            Self::AppRoleUnfiltered { app_role, role, why } if app_role == role => {
                write!(f, "the application's role {role} is {why}: no policy filters it")
            }
            Self::AppRoleUnfiltered { app_role, role, why } => {
                write!(f, "the application's role {app_role} can become {role}, which is {why}: no policy filters that")
            }
            Self::ParentUnreadable { table, columns, role } => write!(
                f,
                "its rows belong to tenants through {table}, and {role} may not read {} there, as its policy would: grant it SELECT on that",
                columns.join(", ")
            ),
            Self::ParentNotAskedFor { table } => {
                write!(f, "its rows belong to tenants through {table}, which was not asked for: name it too")
            }
            Self::ParentStopped { table } => {
                write!(
                    f,
                    "its rows belong to tenants through {table}, which cannot be tightened: it may still have rows without a tenant"
                )
            }
            Self::PhaseBefore { phase } => {
                write!(f, "it did not get through `{phase}`: `{}` shows what it has", CommandRef::RlsStatus)
            }
            Self::RowAfterAudit { message } => write!(f, "a row came in after the audit: {message}"),
            Self::Locked { step, attempts, blockers } => {
                write!(f, "could not {step}: after {attempts} attempts a lock on it was still held")?;
                let holders: Vec<String> =
                    blockers.iter().map(|blocker| format!("{blocker}, on {}", blocker.table)).collect();
                if holders.is_empty() { Ok(()) } else { write!(f, " by {}", holders.join("; ")) }
            }
            Self::NotFilled { message } => {
                write!(f, "its rows could not be given the tenant of the rows that they point to: {message}")
            }
            Self::Login { problem } => write!(f, "{problem}; {}", problem.hint()),
            Self::LeftKept { role, message } => write!(
                f,
                "the role {role}, which tenancy.toml names no more, stays: {message}; take that away, and roll out as a role that may drop it"
            ),
            Self::LeftAltered { role, what } => write!(
                f,
                "somebody changed {what}, which a rollout made for {role} and tenancy.toml declares no more: drop it by hand"
            ),
            Self::LoginFirst { purpose, role } => {
                let fails = match purpose {
                    LoginPurpose::SignIn => "users could no longer sign in",
                    LoginPurpose::Job { .. } => "the job would find no rows",
                };
                write!(
                    f,
                    "it is a table of {purpose}, and the login {role} has not what it needs yet: under policies, {fails}"
                )
            }
            Self::StepFailed { step, message } => write!(f, "could not {step}: {message}"),
        }
    }
}

/// By what a policy decides, for JSON.
#[derive(Serialize)]
struct Decides<'a> {
    decides: String,
    reading: &'a PolicyReading,
}

fn decides<S: Serializer>(reading: &PolicyReading, serializer: S) -> Result<S::Ok, S::Error> {
    Decides { decides: reading.to_string(), reading }.serialize(serializer)
}

/// A value with its sentence, for JSON.
#[derive(Serialize)]
struct Said<'a, T> {
    #[serde(flatten)]
    value: &'a T,
    says: String,
}

/// Writes values with their sentences beside their fields.
///
/// # Errors
/// Those of the serializer.
pub fn said<T: Serialize + fmt::Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| Said { value, says: value.to_string() }))
}

/// The sentences, separated by semicolons.
pub fn sentences<T: fmt::Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_that_decides_by_the_user_says_by_what_in_words_and_as_a_value() {
        let function = || Some("mine".to_owned());
        for (reading, says, expected) in [
            (PolicyReading::AuthUser, "it asks auth.uid() for the user", json!({"by": "auth_user"})),
            (
                PolicyReading::Function { function: "mine".to_owned() },
                "the function mine decides",
                json!({"by": "function", "function": "mine"}),
            ),
            (
                PolicyReading::AnyOf { function: function() },
                "it compares with a list (= ANY) that the function mine gives",
                json!({"by": "any_of", "function": "mine"}),
            ),
        ] {
            let stop = Stop::ByUser { policy: "p".to_owned(), reading, definition: "d".to_owned() };
            assert!(stop.to_string().contains(&format!("session's tenant, and {says}: an application")), "{stop}");
            let expected =
                json!({"reason": "by_user", "policy": "p", "decides": says, "reading": expected, "definition": "d"});
            assert_eq!(serde_json::to_value(stop).unwrap(), expected);
        }
    }
}
