//! The report of a backfill.

use std::path::PathBuf;

use serde::Serialize;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::coverage::Coverage;
use tenant_rls::Database;

use crate::error::Result;
use crate::finding::{AbsentSource, FailedRow, GhostTenant};
use crate::plan::selection::RowKind;
use crate::preflight::Preflight;
use crate::run::cleanup::Cleanup;
use crate::throttle::totals::ThrottleReport;

/// What a backfill did, and what is left. The JSON shape is `backfill/2`.
#[derive(Debug, Clone, Serialize)]
pub struct BackfillReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run in `tenant_ops.run`; none for a dry run, or if there was nothing to do.
    pub run: Option<i64>,
    /// The table.
    pub table: TableName,
    /// The rows that it is about.
    pub about: RowKind,
    /// The role that wrote.
    pub role: String,
    /// Nothing was kept.
    pub dry_run: bool,
    /// How it ended.
    pub outcome: RunOutcome,
    /// An earlier, unfinished run was continued, or the run of another process joined. The counts include those of all
    /// processes.
    pub resumed: bool,
    /// Rows that got a tenant.
    pub assigned: u64,
    /// Assigned rows by the first source that named the tenant, then by the tie-breaker that decided.
    pub assigned_by_source: Vec<SourceCount>,
    /// Rows that are left as their sources name several tenants and no tie-breaker decides.
    pub conflicts: u64,
    /// Rows that are left as their sources name no tenant.
    pub unresolved: u64,
    /// Rows that are left although they could get a tenant: locked by others, refused by the table, beyond the limit,
    /// or new.
    pub assignable: u64,
    /// Rows that are left as their tenant would break a unique key; `preflight` names them.
    pub unique_breaks: u64,
    /// Every pass found new rows, as the application keeps writing rows without a tenant.
    pub rows_keep_coming: bool,
    /// All rows without a tenant after the run, counted by a role that sees every row.
    pub remaining: u64,
    /// Rows that the table refused.
    pub failed: Vec<FailedRow>,
    /// Tenants that sources name and that do not exist. They count as no tenant.
    pub ghost_tenants: Vec<GhostTenant>,
    /// Sources and tie-breakers that were left out, as this database lacks a table of them.
    pub absent_sources: Vec<AbsentSource>,
    /// The file with the rows that people must decide.
    pub review: Option<PathBuf>,
    /// Passes over the table.
    pub passes: i32,
    /// Transactions of this process.
    pub batches: u64,
    /// The longest transaction, in milliseconds.
    pub longest_batch_ms: u64,
    /// The time that this process spent in batches and waits, in seconds.
    pub seconds: f64,
    /// Rows that this process assigned per second.
    pub rows_per_second: f64,
    /// What the checks before the first row found; none if there was nothing to assign.
    pub preflight: Option<Preflight>,
    /// What slowed this process down.
    pub throttle: ThrottleReport,
    /// The cleanup after the last row, by the process that led; none if nothing was written.
    pub cleanup: Option<Cleanup>,
    /// Of which tables of the database the report speaks; none where it is one of several, which say that together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

/// How a backfill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// No assignable row is left, except those that the report names.
    Done,
    /// There was nothing to assign; nothing was written.
    NothingToDo,
    /// This process was stopped. Others, or the next run, continue.
    Stopped,
    /// An operator cancelled the run. It is not continued.
    Cancelled,
    /// The limit was reached. The next run continues.
    LimitReached,
}

/// Rows that one source or tie-breaker assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceCount {
    /// The source's name.
    pub source: String,
    /// Rows.
    pub rows: u64,
}

impl BackfillReport {
    /// Adds what the database has besides this table.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database) if the catalog cannot be read.
    pub async fn covering(self, database: &Database, tenancy: &Tenancy) -> Result<Self> {
        let coverage = Coverage::read(database, tenancy, |name| *name == self.table).await?;
        Ok(Self { coverage: Some(coverage), ..self })
    }

    /// Whether no row of this table is left without a tenant.
    pub fn is_complete(&self) -> bool {
        self.remaining == 0
    }
}
