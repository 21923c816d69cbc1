//! Batches: a range is claimed, and one call does a batch of it and moves its checkpoint with it.

use sqlx::{PgConnection, Row};
use tenancy_config::TableName;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Error as RlsError, Sql, Template};

use crate::owner::act;
use crate::range::Range;
use crate::run::Run;

/// The statement of the batches of one leaf. The server plans it once for a batch, not once for a tenant.
#[derive(Debug, Clone)]
pub struct BatchStatement(Sql);

impl BatchStatement {
    /// `resolve` locks and groups the rows of a range of `target`, `assign` writes one tenant's rows, and `read_back` counts those that do not have
    /// what was written: see `sql/backfill-engine/`. They know the variables of `sql/tenant-ops/fragments/assign_batch.sql`.
    pub fn new(target: &TableName, resolve: Sql, assign: Sql, read_back: Sql) -> Self {
        let batch = Template::new(include_str!("../../../sql/tenant-ops/fragments/assign_batch.sql"))
            .fragment("resolve", resolve)
            .fragment("assign", assign)
            .fragment("read_back", read_back)
            .literal("schema", target.schema().as_str())
            .literal("name", target.name().as_str())
            .build();
        Self(
            Template::new(include_str!("../../../sql/tenant-ops/do_batch.sql"))
                .literal("batch", batch.as_str())
                .build(),
        )
    }
}

/// One batch that is to be done.
#[derive(Debug)]
pub struct BatchCall<'a> {
    /// The number of the range, which this transaction has locked.
    pub range: i64,
    /// The session variable that policies read.
    pub variable: &'a str,
    /// The statement.
    pub statement: &'a BatchStatement,
    /// The first tid of the batch: the checkpoint of the range.
    pub from: &'a str,
    /// The first tid behind the batch.
    pub until: &'a str,
    /// The most rows to examine.
    pub limit: Option<i64>,
}

/// What a batch did.
#[derive(Debug, Clone, Default)]
pub struct BatchCounts {
    /// Rows without a tenant that it locked and examined.
    pub examined: u64,
    /// Rows that were given their tenant.
    pub assigned: u64,
    /// The same by source, best first.
    pub assigned_by: Vec<i64>,
}

impl Run {
    /// Locks a range that no process works on, `preferred` if that is one. None where every range is locked or done, or the
    /// run is not running: [`Run::progress`] tells which.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn claim(&self, tx: &mut PgConnection, preferred: i64) -> Result<Option<Range>, RlsError> {
        let row = sqlx::query(include_str!("../../../sql/tenant-ops/claim_range.sql"))
            .bind(self.id)
            .bind(preferred)
            .fetch_optional(tx)
            .await
            .map_err(RlsError::query("looking for a range that is free"))?;
        Ok(row.map(|row| Range {
            id: row.get("id"),
            leaf: row.get("leaf"),
            next: row.get("next_tid"),
            until: row.get("until_tid"),
        }))
    }

    /// Does one batch; it commits or rolls back with the caller's transaction.
    ///
    /// # Errors
    /// [`RlsError::Query`], with the SQLSTATE [`WRITTEN_NOT_LOCKED`], [`WRITTEN_NOT_KEPT`], [`RUN_NOT_RUNNING`] or [`RANGE_NOT_LOCKED`], or that
    /// with which a row, a trigger or the server refuses.
    ///
    /// [`WRITTEN_NOT_KEPT`]: tenant_rls::sqlstate::WRITTEN_NOT_KEPT
    /// [`WRITTEN_NOT_LOCKED`]: tenant_rls::sqlstate::WRITTEN_NOT_LOCKED
    /// [`RUN_NOT_RUNNING`]: tenant_rls::sqlstate::RUN_NOT_RUNNING
    /// [`RANGE_NOT_LOCKED`]: tenant_rls::sqlstate::RANGE_NOT_LOCKED
    pub async fn batch(&self, tx: &mut PgConnection, call: &BatchCall<'_>) -> Result<BatchCounts, RlsError> {
        let doing = || RlsError::query(format!("assigning tenants to the rows {} to {}", call.from, call.until));
        sqlx::query(include_str!("../../../sql/tenant-ops/begin_assigning.sql"))
            .bind(self.id)
            .bind(call.range)
            .bind(call.from)
            .bind(call.until)
            .bind(call.limit)
            .bind(call.variable)
            .execute(&mut *tx)
            .await
            .map_err(doing())?;
        let row = sqlx::raw_sql(&call.statement.0).fetch_one(tx).await.map_err(doing())?;
        let assigned_by: Vec<i64> = row.get("assigned_by");
        Ok(BatchCounts {
            examined: from_bigint(row.get("examined")),
            assigned: from_bigint(assigned_by.iter().sum()),
            assigned_by,
        })
    }

    /// Adds a range inside an open transaction, for a dry run, which takes it back. Returns its number.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn range_in(&self, tx: &mut PgConnection, leaf: &str, next: &str, until: &str) -> Result<i64, RlsError> {
        let before = act(tx).await?;
        let range = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/open_range.sql"))
            .bind(self.id)
            .bind(leaf)
            .bind(next)
            .bind(until)
            .fetch_one(&mut *tx)
            .await
            .map_err(RlsError::query("opening a range"))?;
        before.again(tx).await?;
        Ok(range)
    }

    /// Reports the row at the checkpoint of a range as refused and moves the checkpoint to `until`, behind it. Does nothing
    /// where another process has moved it. Returns how many rows were refused in this pass.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn refuse(
        &self,
        tx: &mut PgConnection,
        range: &Range,
        until: &str,
        row: Option<(&str, &str)>,
    ) -> Result<u64, RlsError> {
        let doing = || RlsError::query("noting a row that was refused");
        let moved = sqlx::query(include_str!("../../../sql/tenant-ops/skip_tid.sql"))
            .bind(range.id)
            .bind(&range.next)
            .bind(until)
            .execute(&mut *tx)
            .await
            .map_err(doing())?;
        if let Some((key, error)) = row.filter(|_| moved.rows_affected() == 1) {
            sqlx::query(include_str!("../../../sql/tenant-ops/refuse_row.sql"))
                .bind(self.id)
                .bind(key)
                .bind(error)
                .execute(&mut *tx)
                .await
                .map_err(doing())?;
        }
        let refused = sqlx::query_scalar("SELECT count(*) FROM tenant_ops.refused WHERE run_id = $1").bind(self.id);
        Ok(from_bigint(refused.fetch_one(tx).await.map_err(doing())?))
    }

    /// Rows that the table refused in this pass, with what the server said.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn refused(&self, connection: &mut PgConnection) -> Result<Vec<(String, String)>, RlsError> {
        let before = act(connection).await?;
        let rows = sqlx::query("SELECT row_key, error FROM tenant_ops.refused WHERE run_id = $1 ORDER BY row_key")
            .bind(self.id)
            .fetch_all(&mut *connection)
            .await
            .map_err(RlsError::query("reading the rows that were refused"))?;
        before.again(connection).await?;
        Ok(rows.iter().map(|row| (row.get("row_key"), row.get("error"))).collect())
    }
}
