//! What a rollback is to take back, and how.

use tenant_inventory::Phase;

use crate::options::LockRetry;

/// What to take back.
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// The phase to go back to.
    pub to: Phase,
    /// Only what this rollout did.
    pub rollout: Option<i64>,
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// How a lock is waited for.
    pub lock_retry: LockRetry,
    /// Only the checks are made, and nothing is written.
    pub dry_run: bool,
}

impl Default for RollbackOptions {
    /// Everything that rollouts did, of every table.
    fn default() -> Self {
        Self { to: Phase::None, rollout: None, tables: Vec::new(), lock_retry: LockRetry::default(), dry_run: false }
    }
}
