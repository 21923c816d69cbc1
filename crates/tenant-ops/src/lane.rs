//! Lanes: the ranges of a pass, which the server shares out, and the one call that does a batch and moves a lane's checkpoint with it.

use sqlx::{PgConnection, Row};
use tenant_rls::{Error as RlsError, Sql, Template};

use crate::owner::act;
use crate::run::{Run, unsigned};

/// A range of pages that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRange {
    /// The table or leaf, as `schema.table`.
    pub leaf: String,
    /// Its first page.
    pub first: u64,
    /// The page behind its last.
    pub behind: u64,
}

/// A lane that this transaction has locked.
#[derive(Debug, Clone)]
pub struct Range {
    /// Its number.
    pub id: i64,
    /// The table or leaf, as `schema.table`.
    pub leaf: String,
    /// Where it goes on, as PostgreSQL prints a tid: `(page,offset)`.
    pub next: String,
    /// The first tid behind it.
    pub until: String,
}

/// The statement of the batches of one leaf. The server plans its parts once a batch, not once a tenant.
#[derive(Debug, Clone)]
pub struct BatchStatement(Sql);

impl BatchStatement {
    /// `resolve` locks and groups the rows of a range, `assign` writes one tenant's rows: see `sql/backfill/`. They know
    /// the variables of `sql/ops/assign_batch.sql`.
    pub fn new(resolve: Sql, assign: Sql) -> Self {
        let batch = Template::new(include_str!("../../../sql/ops/assign_batch.sql"))
            .fragment("resolve", resolve)
            .fragment("assign", assign)
            .build();
        Self(Template::new(include_str!("../../../sql/ops/do_batch.sql")).literal("batch", batch.as_str()).build())
    }
}

/// One batch that is to be done.
#[derive(Debug)]
pub struct BatchCall<'a> {
    /// The lane, locked in this transaction.
    pub lane: i64,
    /// The session variable that policies read.
    pub variable: &'a str,
    /// What is done with its rows.
    pub statement: &'a BatchStatement,
    /// First tid of the range: where the lane goes on.
    pub from: &'a str,
    /// First tid behind the range.
    pub until: &'a str,
    /// The most rows to look at.
    pub limit: Option<i64>,
}

/// What a batch did.
#[derive(Debug, Clone, Default)]
pub struct BatchCounts {
    /// Rows without a tenant that it locked and looked at.
    pub examined: u64,
    /// Rows that were given their tenant.
    pub assigned: u64,
    /// The same by source, best first.
    pub assigned_by: Vec<i64>,
}

impl Run {
    /// Locks a lane that nobody works on, `preferred` if that is one. None where all others are locked or at their end, or the
    /// run is not running: [`Run::standing`] tells.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn claim(&self, tx: &mut PgConnection, preferred: i64) -> Result<Option<Range>, RlsError> {
        let row = sqlx::query(include_str!("../../../sql/ops/claim_range.sql"))
            .bind(self.id)
            .bind(preferred)
            .fetch_optional(tx)
            .await
            .map_err(RlsError::query("looking for a lane that is free"))?;
        Ok(row.map(|row| Range { id: row.get(0), leaf: row.get(1), next: row.get(2), until: row.get(3) }))
    }

    /// Does one batch; it commits or rolls back with the caller's transaction.
    ///
    /// # Errors
    /// [`RlsError::Query`] with SQLSTATE `TO002` where another number of rows was written than locked, `TO003` where the run
    /// is not running, and whatever the rows or the server say.
    pub async fn batch(&self, tx: &mut PgConnection, call: &BatchCall<'_>) -> Result<BatchCounts, RlsError> {
        let doing = || RlsError::query(format!("assigning tenants to the rows {} to {}", call.from, call.until));
        sqlx::query(include_str!("../../../sql/ops/begin_assigning.sql"))
            .bind(self.id)
            .bind(call.lane)
            .bind(call.from)
            .bind(call.until)
            .bind(call.limit)
            .bind(call.variable)
            .execute(&mut *tx)
            .await
            .map_err(doing())?;
        let row = sqlx::raw_sql(&call.statement.0).fetch_one(tx).await.map_err(doing())?;
        let assigned_by: Vec<i64> = row.get(1);
        Ok(BatchCounts { examined: unsigned(row.get(0)), assigned: unsigned(assigned_by.iter().sum()), assigned_by })
    }

    /// Adds lanes inside an open transaction: for a dry run, which takes them back. Returns the number of the first.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn lane_in(&self, tx: &mut PgConnection, leaf: &str, next: &str, until: &str) -> Result<i64, RlsError> {
        let before = act(tx).await?;
        let lane = sqlx::query_scalar(include_str!("../../../sql/ops/open_range.sql"))
            .bind(self.id)
            .bind(leaf)
            .bind(next)
            .bind(until)
            .fetch_one(&mut *tx)
            .await
            .map_err(RlsError::query("opening a lane"))?;
        before.again(tx).await?;
        Ok(lane)
    }

    /// Reports the row at the checkpoint of a lane as refused and moves the checkpoint to `until`, behind it: nothing happens
    /// where another process has moved it. Returns how many rows were refused in this pass.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn refuse(
        &self,
        tx: &mut PgConnection,
        lane: &Range,
        until: &str,
        row: Option<(&str, &str)>,
    ) -> Result<u64, RlsError> {
        let doing = || RlsError::query("noting a row that was refused");
        let moved = sqlx::query(include_str!("../../../sql/ops/skip_tid.sql"))
            .bind(lane.id)
            .bind(&lane.next)
            .bind(until)
            .execute(&mut *tx)
            .await
            .map_err(doing())?;
        if let Some((key, error)) = row.filter(|_| moved.rows_affected() == 1) {
            sqlx::query(include_str!("../../../sql/ops/refuse_row.sql"))
                .bind(self.id)
                .bind(key)
                .bind(error)
                .execute(&mut *tx)
                .await
                .map_err(doing())?;
        }
        let refused = sqlx::query_scalar("SELECT count(*) FROM tenant_ops.refused WHERE run_id = $1").bind(self.id);
        Ok(unsigned(refused.fetch_one(tx).await.map_err(doing())?))
    }

    /// Rows that the table refused in this pass, with what the server said.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn refused(&self, connection: &mut PgConnection) -> Result<Vec<(String, String)>, RlsError> {
        let before = act(connection).await?;
        let rows = sqlx::query_as("SELECT row_key, error FROM tenant_ops.refused WHERE run_id = $1 ORDER BY row_key")
            .bind(self.id)
            .fetch_all(&mut *connection)
            .await
            .map_err(RlsError::query("reading the rows that were refused"))?;
        before.again(connection).await?;
        Ok(rows)
    }
}

/// Gives a run its lanes, unless it has some.
pub(crate) async fn open_lanes(connection: &mut PgConnection, run: i64, lanes: &[NewRange]) -> Result<(), RlsError> {
    let page = |page: u64| i64::try_from(page).unwrap_or(i64::MAX);
    sqlx::query(include_str!("../../../sql/ops/open_ranges.sql"))
        .bind(run)
        .bind(lanes.iter().map(|lane| lane.leaf.as_str()).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| page(lane.first)).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| page(lane.behind)).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map_err(RlsError::query("sharing the table out into lanes"))?;
    Ok(())
}
