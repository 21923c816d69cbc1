//! Taking back what a run did, entry by entry of the journal.

use sqlx::{PgConnection, Row};
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Error as RlsError, SessionSetting, Sql, Template};

use crate::lease::Lease;
use crate::owner::act;

/// The statement of the batches of an undo. The server plans it once for a batch, not once for an entry.
#[derive(Debug, Clone)]
pub struct UndoStatement(Sql);

impl UndoStatement {
    /// `setting` is where a session has its tenant; `undo` empties the tenant column of the rows of one entry: see `sql/backfill-engine/fragments/take_back.sql`. It knows the
    /// variables of `sql/tenant-ops/fragments/take_back_batch.sql`.
    pub fn new(setting: &SessionSetting, undo: Sql) -> Self {
        let batch = Template::new(include_str!("../../../sql/tenant-ops/fragments/take_back_batch.sql"))
            .fragment("scope", setting.value_of(Sql::from_static("entry.tenant_id")))
            .fragment("undo", undo)
            .build();
        Self(
            Template::new(include_str!("../../../sql/tenant-ops/do_take_back.sql"))
                .literal("batch", batch.as_str())
                .build(),
        )
    }
}

/// One batch of an undo.
#[derive(Debug)]
pub struct UndoCall<'a> {
    /// The run to take back.
    pub run: i64,
    /// The session variable that policies read.
    pub variable: &'a str,
    /// The statement.
    pub statement: &'a UndoStatement,
    /// The rows that are enough for one transaction.
    pub rows: i64,
}

/// What a batch of an undo did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UndoCounts {
    /// Journal entries; with none, the run is taken back.
    pub entries: u64,
    /// Rows that have what they had before the run, mostly no tenant.
    pub undone: u64,
    /// Rows that were left alone: they are gone, or have another tenant by now.
    pub kept: u64,
}

/// Takes back a batch of a run, which commits or rolls back with the caller's transaction.
///
/// # Errors
/// [`RlsError::Query`], with the SQLSTATE [`LEASE_LOST`](tenant_rls::sqlstate::LEASE_LOST), or that with which a row, a trigger
/// or the server refuses.
pub async fn undo_batch(tx: &mut PgConnection, lease: &Lease, call: &UndoCall<'_>) -> Result<UndoCounts, RlsError> {
    let doing = || RlsError::query("taking tenants away again");
    sqlx::query(include_str!("../../../sql/tenant-ops/begin_taking_back.sql"))
        .bind(call.run)
        .bind(&lease.resource)
        .bind(lease.fence)
        .bind(call.rows)
        .bind(call.variable)
        .execute(&mut *tx)
        .await
        .map_err(doing())?;
    let row = sqlx::raw_sql(&call.statement.0).fetch_one(tx).await.map_err(doing())?;
    let (examined, undone) = (from_bigint(row.get("examined")), from_bigint(row.get("undone")));
    Ok(UndoCounts { entries: from_bigint(row.get("entries")), undone, kept: examined - undone })
}

/// The rows of a run that are still to be taken back, as far as the journal knows.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn rows_to_take_back(connection: &mut PgConnection, run: i64) -> Result<u64, RlsError> {
    let before = act(connection).await?;
    let rows = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/rows_to_take_back.sql"))
        .bind(run)
        .fetch_one(&mut *connection)
        .await
        .map_err(RlsError::query("counting the rows that the run gave a tenant"))?;
    before.again(connection).await?;
    Ok(from_bigint(rows))
}

/// Whether a run gave a tenant to rows that had none, and that are not taken back.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn had_none(connection: &mut PgConnection, run: i64) -> Result<bool, RlsError> {
    let before = act(connection).await?;
    let had_none = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/rows_without_before.sql"))
        .bind(run)
        .fetch_one(&mut *connection)
        .await
        .map_err(RlsError::query("asking what rows had before the run"))?;
    before.again(connection).await?;
    Ok(had_none)
}

/// A value that rows had before the run and of which a cast of `had.before` makes NULL.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn before_not_held(connection: &mut PgConnection, run: i64, cast: Sql) -> Result<Option<String>, RlsError> {
    let before = act(connection).await?;
    let asked =
        Template::new(include_str!("../../../sql/tenant-ops/before_not_held.sql")).fragment("cast", cast).build();
    let value = sqlx::query_scalar(&asked)
        .bind(run)
        .fetch_optional(&mut *connection)
        .await
        .map_err(RlsError::query("asking what rows had before the run"))?;
    before.again(connection).await?;
    Ok(value)
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
