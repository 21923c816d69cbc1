//! Taking back what a run did.

use sqlx::{PgConnection, Row};
use tenant_rls::{Error as RlsError, Sql};

use crate::lease::Lease;
use crate::owner::act;

/// One call of `tenant_ops.undo_batch`.
#[derive(Debug)]
pub struct UndoCall<'a> {
    /// The run to take back.
    pub run: i64,
    /// The session variable that policies read.
    pub variable: &'a str,
    /// Empties the tenant column of one tenant's rows: see `sql/backfill-engine/undo.sql`.
    pub undo: &'a Sql,
    /// The rows that are enough for one transaction.
    pub rows: i64,
}

/// What a batch of an undo did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UndoCounts {
    /// Journal entries; with none, the run is taken back.
    pub entries: i64,
    /// Rows that have no tenant again.
    pub undone: i64,
    /// Rows that were left alone: they are gone, or have another tenant by now.
    pub kept: i64,
}

/// Takes back a batch of a run, which commits or rolls back with the caller's transaction.
///
/// # Errors
/// [`RlsError::Query`], with the SQLSTATE [`LEASE_LOST`](tenant_rls::sqlstate::LEASE_LOST), or that with which a row, a trigger
/// or the server refuses.
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
    Ok(UndoCounts { entries: row.get("entries"), undone: row.get("undone"), kept: row.get("kept") })
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
