//! The events that a running rollout sends; whoever started it shows them.

use std::time::Duration;

use tenancy_config::TableName;
use tenant_inventory::Phase;

use crate::blocker::Blocker;
use crate::plan::step::Lock;
use crate::plan::through::PlannedThrough;
use crate::run::check::Check;

/// An event of a running rollout.
#[derive(Debug, Clone)]
pub enum RolloutEvent {
    /// A check was made before the first step.
    Checked {
        /// The check with its result.
        check: Check,
    },
    /// Another process holds the lease; if that is dead, the lease runs out within seconds.
    Queued {
        /// Who holds it.
        holder: String,
    },
    /// A step begins.
    Step {
        /// The table.
        table: TableName,
        /// The phase.
        phase: Phase,
        /// The step, as a phrase.
        step: &'static str,
        /// The strongest lock that it takes.
        lock: Lock,
    },
    /// A lock could not be had in time; nothing was changed, and the step is tried again after this wait.
    Waiting {
        /// The table.
        table: TableName,
        /// The step, as a phrase.
        step: &'static str,
        /// Who holds a lock on the table.
        blockers: Vec<Blocker>,
        /// The wait.
        wait: Duration,
        /// How long the next attempt waits for the lock; longer where that outwaits an autovacuum.
        lock_timeout: Duration,
    },
    /// The form of a policy that asks another table was chosen.
    Form {
        /// The table.
        table: TableName,
        /// The form, and what decided it.
        through: PlannedThrough,
    },
    /// The rows of a table get the tenant of the rows that they point to.
    Filling {
        /// The table.
        table: TableName,
        /// Rows without a tenant.
        rows: u64,
    },
    /// The audit before the tightening is counting.
    Auditing {
        /// Tables that have been counted.
        done: usize,
        /// All tables.
        of: usize,
    },
}
