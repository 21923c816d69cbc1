//! The checks before the first step: what each looked at and what it saw, as values.

use serde::{Serialize, Serializer};
use tenancy_config::TableName;
use tenant_inventory::class::Unhandled;
use tenant_inventory::{Member, RegistryState};

use crate::blocker::Blocker;
use crate::plan::notice::Notice;
use crate::run::activity::{LongTransaction, PreparedTransaction, Standby, UnreadSlot};
use crate::run::lacking::LackingRight;
use crate::stop::sentences;

/// A check that was made, with what it saw. Its JSON has the tag `check` and the fields here, beside its name, its result and the sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// The version of the server, which is supported: connecting to an older one fails.
    Server {
        /// The version for people, such as `15.18`.
        server_version: String,
    },
    /// Whether this login may alter every table.
    Role {
        /// The login.
        role: String,
        /// The tables that it may not alter.
        others: Vec<Member>,
    },
    /// The tables that cannot be protected.
    Tables {
        /// Each with the reason that status and plan give.
        unprotected: Vec<Unprotected>,
        /// What the tenant table is.
        registry: RegistryState,
    },
    /// The rights without which a step would fail.
    Rights {
        /// Those that this login lacks.
        lacking: Vec<LackingRight>,
    },
    /// Somebody inherits a role of the rollout, and will lose indexes by that.
    Membership(Notice),
    /// Somebody sees less once the owner is filtered.
    Enforce(Notice),
    /// The locks on the tables.
    Locks {
        /// Who holds one.
        holders: Vec<Blocker>,
    },
    /// Transactions that are older than a minute, as far as this login may see them.
    LongTransactions {
        /// They, the oldest first.
        transactions: Vec<LongTransaction>,
    },
    /// Some sessions do not show this login how old their transaction is.
    HiddenTransactions {
        /// How many.
        sessions: i64,
    },
    /// Prepared transactions of this database.
    PreparedTransactions {
        /// They, the oldest first.
        transactions: Vec<PreparedTransaction>,
    },
    /// The standbys that are connected.
    Standbys {
        /// They.
        standbys: Vec<Standby>,
        /// Whether this login may see how far behind they are.
        readable: bool,
    },
    /// Replication slots that nobody reads from.
    ReplicationSlots {
        /// They.
        slots: Vec<UnreadSlot>,
    },
    /// A backup, which no check can see.
    Backup,
}

/// A table that cannot be protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unprotected {
    /// The table.
    pub table: TableName,
    /// Why not.
    pub why: Unhandled,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Nothing is in the way.
    Fine,
    /// Something to know or to do, which no check can see.
    Reminder,
    /// It may hold the rollout up, or be held up by it.
    Warning,
    /// This login may not see it.
    Unreadable,
    /// A step would surely fail: the rollout does not begin.
    Failed,
}

impl Check {
    /// Its name for people, such as `locks`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Server { .. } => "server",
            Self::Role { .. } => "role",
            Self::Tables { .. } => "tables",
            Self::Rights { .. } => "rights",
            Self::Membership(_) => "membership",
            Self::Enforce(_) => "enforce",
            Self::Locks { .. } => "locks",
            Self::LongTransactions { .. } | Self::HiddenTransactions { .. } => "long transactions",
            Self::PreparedTransactions { .. } => "prepared transactions",
            Self::Standbys { .. } => "standbys",
            Self::ReplicationSlots { .. } => "replication slots",
            Self::Backup => "backup",
        }
    }

    /// Its result.
    pub fn verdict(&self) -> CheckResult {
        let warning_unless = |fine| if fine { CheckResult::Fine } else { CheckResult::Warning };
        match self {
            Self::Server { .. } => CheckResult::Fine,
            Self::Role { others, .. } => warning_unless(others.is_empty()),
            Self::Tables { unprotected, registry } => {
                warning_unless(unprotected.is_empty() && registry.can_be_referenced())
            }
            Self::Rights { lacking } if lacking.is_empty() => CheckResult::Fine,
            Self::Rights { .. } => CheckResult::Failed,
            Self::Membership(_) | Self::Enforce(_) => CheckResult::Warning,
            Self::Locks { holders } => warning_unless(holders.is_empty()),
            Self::LongTransactions { transactions } => warning_unless(transactions.is_empty()),
            Self::HiddenTransactions { .. } => CheckResult::Unreadable,
            Self::PreparedTransactions { transactions } => warning_unless(transactions.is_empty()),
            Self::Standbys { standbys, readable } if *readable => warning_unless(standbys.is_empty()),
            Self::Standbys { standbys, .. } if standbys.is_empty() => CheckResult::Fine,
            Self::Standbys { .. } => CheckResult::Unreadable,
            Self::ReplicationSlots { slots } => warning_unless(slots.is_empty()),
            Self::Backup => CheckResult::Reminder,
        }
    }

    /// What it saw, in words.
    pub fn says(&self) -> String {
        match self {
            Self::Server { server_version } => format!("PostgreSQL {server_version}"),
            Self::Role { role, others } => found(
                others.iter().map(|other| format!("{} belongs to {}", other.table, other.owner)),
                &format!("{role} may alter every table"),
                &format!("{role} may not alter every table; those that it may not stay as they are"),
            ),
            Self::Tables { unprotected, registry } => {
                let tables = unprotected.iter().map(|Unprotected { table, why }| format!("{table}: {why}"));
                let registry = (!registry.can_be_referenced()).then(|| registry.to_string());
                let none = "found none that cannot be protected";
                found(tables.chain(registry), none, "these stay as they are, and the others go on")
            }
            Self::Rights { lacking } if lacking.is_empty() => "roles, indexes and foreign keys can be made".to_owned(),
            Self::Rights { lacking } => sentences(lacking),
            Self::Membership(notice) | Self::Enforce(notice) => notice.to_string(),
            Self::Locks { holders } => found(
                holders.iter().map(|holder| format!("{}: {holder}, holding {}", holder.table, holder.modes)),
                "no other session holds one on the tables",
                "each step waits for these to end, no longer than its lock timeout at a time",
            ),
            Self::LongTransactions { transactions } => found(
                transactions.iter().map(ToString::to_string),
                "none that this login may see is older than a minute",
                "building an index waits for these to end",
            ),
            Self::HiddenTransactions { sessions } => format!(
                "{sessions} sessions of other roles do not show this login how old their transaction is; a member of pg_read_all_stats sees it"
            ),
            Self::PreparedTransactions { transactions } => found(
                transactions.iter().map(ToString::to_string),
                "none",
                "these keep their locks until somebody commits or rolls them back",
            ),
            Self::Standbys { standbys, readable } => found(
                standbys.iter().map(ToString::to_string),
                "none is connected",
                match readable {
                    true => "an exclusive lock holds readers there up as well, and long ones hold the standby up",
                    false => "how far behind they are, only a member of pg_read_all_stats sees",
                },
            ),
            Self::ReplicationSlots { slots } => found(
                slots.iter().map(ToString::to_string),
                "none is without its reader",
                "nobody reads from these, so the log of what is written piles up",
            ),
            Self::Backup => {
                "have one that was restored once; a rollback brings definitions back, never rows".to_owned()
            }
        }
    }
}

/// A sentence that names what was seen, or says that nothing was.
fn found(seen: impl Iterator<Item = String>, none: &str, what: &str) -> String {
    let seen: Vec<String> = seen.collect();
    if seen.is_empty() { none.to_owned() } else { format!("{what}: {}", seen.join("; ")) }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name(), self.says())
    }
}

/// A check for JSON.
#[derive(Serialize)]
struct Told<'a> {
    name: &'static str,
    verdict: CheckResult,
    #[serde(flatten)]
    check: &'a Check,
    says: String,
}

/// Writes checks with name, result and sentence beside their fields.
pub(crate) fn told<S: Serializer>(checks: &[Check], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(checks.iter().map(|check| Told {
        name: check.name(),
        verdict: check.verdict(),
        check,
        says: check.says(),
    }))
}

#[cfg(test)]
mod tests;
