//! What runs did, and taking it back.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use tenancy_config::Tenancy;
use tenant_rls::{Error as RlsError, Sql};

use crate::owner::act;
use crate::run::unsigned;
use crate::trust::readable;
use crate::{Lease, Result, RunState};

/// A run as the journal has it.
#[derive(Debug, Clone, Serialize)]
pub struct RunRecord {
    /// Its number.
    pub id: i64,
    /// The job that began it.
    pub job: String,
    /// The table, as `schema.table`.
    pub table: String,
    /// Its state.
    pub state: RunState,
    /// Who set that; nobody is known where the run was begun and nothing more.
    pub state_by: Option<String>,
    /// When.
    pub state_at: DateTime<Utc>,
    /// `report` or `first`.
    pub on_conflict: String,
    /// The names of the sources, best first.
    pub sources: Vec<String>,
    /// The login.
    pub login: String,
    /// The machine that it began on.
    pub host: String,
    /// The version of this program that began it.
    pub tool_version: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended or was stopped.
    pub ended_at: Option<DateTime<Utc>>,
    /// Rows that it gave a tenant.
    pub assigned: u64,
    /// Rows that it looked at; those of a later pass count again.
    pub examined: u64,
    /// Transactions.
    pub batches: u64,
    /// The pass that it is in, or ended in.
    pub pass: i32,
    /// Ranges of that pass.
    pub ranges: u64,
    /// Those that are at their end.
    pub ranges_done: u64,
}

/// One time that a row was given a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// The run.
    pub run: i64,
    /// The job that began it.
    pub job: String,
    /// The tenant.
    pub tenant: String,
    /// The source that named it; the journal of another version may not tell.
    pub source: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// The login.
    pub login: String,
    /// The machine that the run began on.
    pub host: String,
    /// The version of this program.
    pub tool_version: String,
    /// `report` or `first`: with the latter, sources that disagreed did not matter.
    pub on_conflict: String,
    /// When it was taken back.
    pub undone_at: Option<DateTime<Utc>>,
}

/// Every run, newest first, or one; none where nothing was ever run here.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn runs(connection: &mut PgConnection, tenancy: &Tenancy, id: Option<i64>) -> Result<Vec<RunRecord>> {
    if !is_kept(connection, tenancy).await? {
        return Ok(Vec::new());
    }
    let before = act(connection).await?;
    let rows = sqlx::query(include_str!("../../../sql/ops/runs.sql")).bind(id).fetch_all(&mut *connection).await;
    let rows = rows.map_err(RlsError::query("reading the runs"))?;
    before.again(connection).await?;
    Ok(rows.iter().map(run).collect())
}

/// Every time that a row of `table` (`schema.table`) was given a tenant, oldest first.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn why(connection: &mut PgConnection, tenancy: &Tenancy, table: &str, key: &str) -> Result<Vec<Assignment>> {
    if !is_kept(connection, tenancy).await? {
        return Ok(Vec::new());
    }
    let before = act(connection).await?;
    let query = sqlx::query(include_str!("../../../sql/ops/why.sql")).bind(table).bind(key);
    let rows = query.fetch_all(&mut *connection).await.map_err(RlsError::query("reading the journal"))?;
    before.again(connection).await?;
    let assignment = |row: &PgRow| Assignment {
        run: row.get(0),
        job: row.get(1),
        tenant: row.get(2),
        source: row.get(3),
        at: row.get(4),
        login: row.get(5),
        host: row.get(6),
        tool_version: row.get(7),
        on_conflict: row.get(8),
        undone_at: row.get(9),
    };
    Ok(rows.iter().map(assignment).collect())
}

/// Whether runs are kept here, in a journal that may be relied on.
async fn is_kept(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<bool> {
    let verified = readable(connection, tenancy).await?;
    Ok(verified.is_some_and(|there| there.objects.contains("run") && there.objects.contains("progress")))
}

fn run(row: &PgRow) -> RunRecord {
    RunRecord {
        id: row.get(0),
        job: row.get(1),
        table: row.get(2),
        state: RunState::parse(row.get(3)),
        on_conflict: row.get(4),
        sources: row.get(5),
        login: row.get(6),
        host: row.get(7),
        tool_version: row.get(8),
        started_at: row.get(9),
        ended_at: row.get(10),
        assigned: unsigned(row.get(11)),
        state_by: row.get(12),
        state_at: row.get(13),
        pass: row.get(14),
        examined: unsigned(row.get(15)),
        batches: unsigned(row.get(16)),
        ranges: unsigned(row.get(17)),
        ranges_done: unsigned(row.get(18)),
    }
}

/// One call of `tenant_ops.undo_batch`.
#[derive(Debug)]
pub struct UndoCall<'a> {
    /// The run to take back.
    pub run: i64,
    /// The session variable that policies read.
    pub variable: &'a str,
    /// Empties the tenant column of one tenant's rows: see `sql/backfill/undo.sql`.
    pub undo: &'a Sql,
    /// So many rows are enough for one transaction.
    pub rows: i64,
}

/// What a batch of an undo did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UndoCounts {
    /// Journal entries; none is the end.
    pub entries: i64,
    /// Rows that have no tenant again.
    pub undone: i64,
    /// Rows that are gone, or have another tenant by now.
    pub kept: i64,
}

/// Takes some of a run back; it commits or rolls back with the caller's transaction.
///
/// # Errors
/// [`RlsError::Query`] with SQLSTATE `TO001` where the lease is lost, and whatever the rows or the server say.
pub async fn undo_batch(tx: &mut PgConnection, lease: &Lease, call: &UndoCall<'_>) -> Result<UndoCounts, RlsError> {
    let row = sqlx::query("SELECT entries, undone, kept FROM tenant_ops.undo_batch($1, $2, $3, $4, $5, $6)")
        .bind(call.run)
        .bind(&lease.resource)
        .bind(lease.fence)
        .bind(call.variable)
        .bind(call.undo.as_str())
        .bind(call.rows)
        .fetch_one(tx)
        .await
        .map_err(RlsError::query("taking tenants away again"))?;
    Ok(UndoCounts { entries: row.get(0), undone: row.get(1), kept: row.get(2) })
}

/// Marks a run as taken back.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn mark_undone(connection: &mut PgConnection, run: i64) -> Result<(), RlsError> {
    let before = act(connection).await?;
    sqlx::query("UPDATE tenant_ops.run SET state = 'undone', state_at = clock_timestamp() WHERE id = $1")
        .bind(run)
        .execute(&mut *connection)
        .await
        .map_err(RlsError::query("marking the run as taken back"))?;
    before.again(connection).await
}
