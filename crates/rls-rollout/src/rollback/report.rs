//! What a rollback restored.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::Phase;

use crate::born_closed::back::BornClosedBack;
use crate::declared_login::back::LoginsBack;
use crate::journal::TableChanges;

/// What was taken back; its JSON is `rls-rollback/1`.
#[derive(Debug, Clone, Serialize)]
pub struct RollbackReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Nothing was written: the report says what would be restored.
    pub dry_run: bool,
    /// The rollback's own number in `tenant_ops.rollout`.
    pub rollout: Option<i64>,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// The tables whose definitions were restored.
    pub tables: Vec<RestoredTable>,
    /// Tables that were dropped or renamed: nothing of them was restored, and their steps stay in the journal.
    pub gone: Vec<TableName>,
    /// What became of the event trigger that closes new tables, where that was to be taken back.
    pub born_closed: Option<BornClosedBack>,
    /// What became of the declared logins, where they were to be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logins: Option<LoginsBack>,
    /// What else would be taken back, where nothing was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoTakenBack>,
}

impl Default for RollbackReport {
    /// Of a rollback that had nothing to do.
    fn default() -> Self {
        Self {
            schema: "rls-rollback/1",
            dry_run: false,
            rollout: None,
            stopped: false,
            tables: Vec::new(),
            gone: Vec::new(),
            born_closed: None,
            logins: None,
            also: Vec::new(),
        }
    }
}

/// What a rollback takes back beside tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlsoTakenBack {
    /// The event trigger that closes new tables.
    BornClosed,
    /// The declared logins.
    Logins,
}

impl AlsoTakenBack {
    pub(super) fn of(born_closed: bool, logins: bool) -> Vec<Self> {
        let both = [born_closed.then_some(Self::BornClosed), logins.then_some(Self::Logins)];
        both.into_iter().flatten().collect()
    }
}

impl RollbackReport {
    /// Whether everything that was to be taken back was, apart from tables that are gone.
    pub fn is_complete(&self) -> bool {
        self.logins.as_ref().is_none_or(LoginsBack::is_restored)
            && !self.stopped
            && matches!(self.born_closed, None | Some(BornClosedBack::Restored))
    }
}

/// One table that was restored.
#[derive(Debug, Clone, Serialize)]
pub struct RestoredTable {
    /// The table, or a partition of one.
    pub table: TableName,
    /// How many definitions are again what they were.
    pub restored: usize,
    /// The tenant column that a rollout had added and that was dropped, with what a backfill had put there.
    pub dropped_column: Option<String>,
    /// The phase of the table now; none where it is no tenant table.
    pub phase: Option<Phase>,
}

impl RestoredTable {
    pub(super) fn of(table: &TableName, recorded: &TableChanges, dropped_column: Option<String>) -> Self {
        Self { table: table.clone(), restored: recorded.changes.len(), dropped_column, phase: None }
    }

    pub(super) fn add(&mut self, recorded: &TableChanges, dropped_column: Option<String>) {
        self.restored += recorded.changes.len();
        self.dropped_column = dropped_column.or(self.dropped_column.take());
    }
}
