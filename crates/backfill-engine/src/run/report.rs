//! What a backfill did, and what is left.

use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::TableName;

use crate::finding::{FailedRow, GhostTenant};
use crate::preflight::Preflight;
use crate::run::cleanup::Cleanup;
use crate::throttle::totals::ThrottleReport;

/// The closing report; its JSON is `backfill/1`.
#[derive(Debug, Clone, Serialize)]
pub struct BackfillReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run in `tenant_ops.run`; none for a dry run, or where nothing was to do.
    pub run: Option<i64>,
    /// The table.
    pub table: TableName,
    /// The role that wrote.
    pub role: String,
    /// Nothing was kept.
    pub dry_run: bool,
    /// How it ended.
    pub outcome: RunOutcome,
    /// An earlier, unfinished run was taken up again, or another process's joined; the counts include what others did.
    pub resumed: bool,
    /// Rows that were given their tenant.
    pub assigned: u64,
    /// The same by the best source that named it, best first; then by the evidence that decided between several
    /// tenants.
    pub assigned_by_source: Vec<SourceCount>,
    /// Rows left whose sources name several tenants, between which no evidence decides.
    pub conflicts: u64,
    /// Rows left whose sources name none.
    pub unresolved: u64,
    /// Rows left that could be given a tenant: locked by others, refused by the table, past the limit, or new.
    pub assignable: u64,
    /// Rows left that would break a unique key with the tenant that they are to get; `preflight` names them.
    pub unique_breaks: u64,
    /// Each of several passes found rows that were not there before: the application writes them.
    pub rows_keep_coming: bool,
    /// All rows without a tenant when the run had ended, counted by a role that sees every row.
    pub remaining: u64,
    /// Rows that the table itself refused.
    pub failed: Vec<FailedRow>,
    /// Tenants that sources name and that do not exist; they counted as none.
    pub ghost_tenants: Vec<GhostTenant>,
    /// The file with the rows that people must decide.
    pub review: Option<PathBuf>,
    /// Passes over the table.
    pub passes: i32,
    /// Transactions of this process.
    pub batches: u64,
    /// The longest of them, in milliseconds.
    pub longest_batch_ms: u64,
    /// Time in batches and waits of this process, in seconds.
    pub seconds: f64,
    /// Rows assigned by this process for each second of it.
    pub rows_per_second: f64,
    /// What was found before the first row; none where there was nothing to assign.
    pub preflight: Option<Preflight>,
    /// What held this process back.
    pub pressure: ThrottleReport,
    /// What was done after the last row, by the process that led; none where nothing was written.
    pub aftermath: Option<Cleanup>,
}

/// How a backfill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Nothing that could be assigned is left, except what the report names.
    Done,
    /// There was nothing to assign; nothing was written.
    NothingToDo,
    /// This process was stopped; others, or the next one, go on.
    Stopped,
    /// An operator cancelled the run; it is not taken up again.
    Cancelled,
    /// The limit was reached; the next run goes on.
    LimitReached,
}

/// Rows assigned by one source, or by evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceCount {
    /// The source's name.
    pub source: String,
    /// Rows.
    pub rows: u64,
}

impl BackfillReport {
    /// Whether rows are left without a tenant.
    pub fn is_complete(&self) -> bool {
        self.remaining == 0
    }
}
