//! Runs: what was started, how far it came, and the one call that does a batch and moves the checkpoint with it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use tenant_rls::{Database, Error as RlsError, OwnerTx, Sql};

use crate::host::this_host;
use crate::{Lease, Result};

/// What identifies a run that could be resumed.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The job, such as `backfill-bookings`.
    pub job: String,
    /// The table, as `schema.table`.
    pub table: String,
    /// `report` or `first`.
    pub on_conflict: &'static str,
    /// The names of the sources, best first.
    pub sources: Vec<String>,
}

impl NewRun {
    /// What a run of this kind holds a lease on.
    pub fn resource(&self) -> String {
        format!("backfill of {}", self.table)
    }
}

/// A run in `tenant_ops.run`.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// The pass over the table that it is in, from 1.
    pub pass: i32,
    /// Where that pass goes on, as PostgreSQL prints a tid: `(page,offset)`.
    pub next_tid: String,
    /// When it began, if it is being resumed.
    pub resumed_from: Option<DateTime<Utc>>,
}

/// One call of `tenant_ops.assign_batch`.
#[derive(Debug)]
pub struct BatchCall<'a> {
    /// The session variable that policies read.
    pub variable: &'a str,
    /// Locks and groups the rows of a range: see `sql/backfill/resolve.sql`.
    pub resolve: &'a Sql,
    /// Writes one tenant's rows: see `sql/backfill/assign.sql`.
    pub assign: &'a Sql,
    /// First tid of the range.
    pub from: &'a str,
    /// First tid behind the range.
    pub until: &'a str,
    /// Where the pass goes on when the batch is done: behind its range, or before another that is still being worked on.
    pub checkpoint: &'a str,
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
    /// The same by source, best first; empty where it assigned none.
    pub assigned_by: Vec<i64>,
}

impl Run {
    /// The unfinished run of the same kind, or a new one.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn resume_or_open(database: &Database, new: &NewRun) -> Result<Self> {
        let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
        let unfinished = sqlx::query(include_str!("../../../sql/ops/unfinished_run.sql"))
            .bind(&new.table)
            .bind(new.on_conflict)
            .bind(&new.sources)
            .fetch_optional(tx.connection())
            .await
            .map_err(RlsError::query("looking for an unfinished run"))?;
        let run = match unfinished {
            Some(row) => {
                let run =
                    Self { id: row.get(0), pass: row.get(1), next_tid: row.get(2), resumed_from: Some(row.get(3)) };
                run.set_state(tx.connection(), "running").await?;
                run
            }
            None => Self::open_in(tx.connection(), new).await?,
        };
        tx.commit().await?;
        Ok(run)
    }

    /// Opens a run inside an open transaction: for a dry run, which takes it back.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn open_in(connection: &mut PgConnection, new: &NewRun) -> Result<Self, RlsError> {
        let id = sqlx::query_scalar(include_str!("../../../sql/ops/open_run.sql"))
            .bind(&new.job)
            .bind(&new.table)
            .bind(new.on_conflict)
            .bind(&new.sources)
            .bind(env!("CARGO_PKG_VERSION"))
            .bind(this_host())
            .fetch_one(connection)
            .await
            .map_err(RlsError::query("opening a run"))?;
        Ok(Self { id, pass: 1, next_tid: "(0,0)".to_owned(), resumed_from: None })
    }

    /// Does one batch; it commits or rolls back with the caller's transaction.
    ///
    /// # Errors
    /// [`RlsError::Query`] with SQLSTATE `TO001` where the lease is lost, `TO002` where another number of rows was
    /// written than locked, and whatever the rows or the server say.
    pub async fn batch(
        &self,
        tx: &mut PgConnection,
        lease: &Lease,
        call: &BatchCall<'_>,
    ) -> Result<BatchCounts, RlsError> {
        let row = sqlx::query(include_str!("../../../sql/ops/call_assign_batch.sql"))
            .bind(self.id)
            .bind(&lease.resource)
            .bind(lease.fence)
            .bind(call.variable)
            .bind(call.resolve.as_str())
            .bind(call.assign.as_str())
            .bind(call.from)
            .bind(call.until)
            .bind(call.checkpoint)
            .bind(call.limit)
            .fetch_one(tx)
            .await
            .map_err(RlsError::query(format!("assigning tenants to the rows {} to {}", call.from, call.until)))?;
        let count = |at: usize| u64::try_from(row.get::<i64, _>(at)).unwrap_or_default();
        Ok(BatchCounts { examined: count(0), assigned: count(1), assigned_by: row.get(2) })
    }

    /// Begins the next pass over the table.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn next_pass(&mut self, database: &Database) -> Result<()> {
        let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
        self.pass = sqlx::query_scalar(
            "UPDATE tenant_ops.run SET pass = pass + 1, next_tid = '(0,0)' WHERE id = $1 RETURNING pass",
        )
        .bind(self.id)
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("beginning the next pass"))?;
        "(0,0)".clone_into(&mut self.next_tid);
        Ok(tx.commit().await?)
    }

    /// Ends the run, finished or to be resumed, and tells how many rows it assigned by each source since it began,
    /// earlier processes included.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn end(&self, database: &Database, finished: bool) -> Result<Vec<i64>> {
        let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
        self.set_state(tx.connection(), if finished { "done" } else { "stopped" }).await?;
        let assigned_by = sqlx::query_scalar("SELECT assigned_by FROM tenant_ops.run WHERE id = $1")
            .bind(self.id)
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("reading the run"))?;
        tx.commit().await?;
        Ok(assigned_by)
    }

    async fn set_state(&self, connection: &mut PgConnection, state: &str) -> Result<(), RlsError> {
        sqlx::query("UPDATE tenant_ops.run SET state = $2, ended_at = CASE $2 WHEN 'running' THEN NULL ELSE clock_timestamp() END WHERE id = $1")
            .bind(self.id)
            .bind(state)
            .execute(connection)
            .await
            .map_err(RlsError::query("changing the state of the run"))?;
        Ok(())
    }
}
