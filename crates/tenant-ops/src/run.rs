//! Runs: begun or resumed, divided into passes, and ended.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use tenancy_config::milliseconds;
use tenant_rls::row_count::{from_bigint, to_bigint};
use tenant_rls::{Database, Error as RlsError};

use crate::error::Result;
use crate::host::this_host;
use crate::lease::{LEASE_TTL, Lease};
use crate::owner::{LOCK_TIMEOUT, act, begin};
use crate::range::{NewRange, open_ranges};
use crate::resource::backfill_resource;
use crate::state::{RunProgress, RunState, set_state};

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
    /// The resource whose lease the process that leads the run holds.
    pub fn resource(&self) -> String {
        backfill_resource(&self.table)
    }
}

/// A run in `tenant_ops.run`.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// The pass over the table that it is in, from 1.
    pub pass: i32,
    /// When it began, if it is being resumed.
    pub resumed_from: Option<DateTime<Utc>>,
}

impl Run {
    /// The unfinished run of the same kind, or a new one; it gets these ranges if it has none. A paused run stays paused.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn resume_or_open(database: &Database, new: &NewRun, holder: &str, ranges: &[NewRange]) -> Result<Self> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        let run = match Self::unfinished(tx.connection(), new).await? {
            Some((run, _)) => {
                set_state(tx.connection(), run.id, RunState::Running, holder, &[RunState::Stopped]).await?;
                run
            }
            None => Self::open_in(tx.connection(), new).await?,
        };
        open_ranges(tx.connection(), run.id, ranges).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// The run of the same kind that other processes are working at, to help them.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn join(database: &Database, new: &NewRun) -> Result<Option<Self>> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        let unfinished = Self::unfinished(tx.connection(), new).await?;
        tx.rollback().await?;
        Ok(unfinished.filter(|(_, state)| *state != RunState::Stopped).map(|(run, _)| run))
    }

    async fn unfinished(connection: &mut PgConnection, new: &NewRun) -> Result<Option<(Self, RunState)>, RlsError> {
        let row = sqlx::query(include_str!("../../../sql/tenant-ops/unfinished_run.sql"))
            .bind(&new.table)
            .bind(new.on_conflict)
            .bind(&new.sources)
            .fetch_optional(connection)
            .await
            .map_err(RlsError::query("looking for an unfinished run"))?;
        let run = |row: sqlx::postgres::PgRow| {
            let run = Self { id: row.get("id"), pass: row.get("pass"), resumed_from: Some(row.get("started_at")) };
            (run, RunState::parse(row.get("state")))
        };
        Ok(row.map(run))
    }

    /// Opens a run inside an open transaction: for a dry run, which takes it back.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn open_in(connection: &mut PgConnection, new: &NewRun) -> Result<Self, RlsError> {
        let before = act(connection).await?;
        let id = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/open_run.sql"))
            .bind(&new.job)
            .bind(&new.table)
            .bind(new.on_conflict)
            .bind(&new.sources)
            .bind(env!("CARGO_PKG_VERSION"))
            .bind(this_host())
            .fetch_one(&mut *connection)
            .await
            .map_err(RlsError::query("opening a run"))?;
        before.again(connection).await?;
        Ok(Self { id, pass: 1, resumed_from: None })
    }

    /// The progress of the run.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn progress(&self, database: &Database) -> Result<RunProgress> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        let row = sqlx::query(include_str!("../../../sql/tenant-ops/run_progress.sql"))
            .bind(self.id)
            .bind(to_bigint(milliseconds(LEASE_TTL)))
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("asking how the run stands"))?;
        tx.rollback().await?;
        Ok(RunProgress {
            state: RunState::parse(row.get("state")),
            state_by: row.get("state_by"),
            state_at: row.get("state_at"),
            pass: row.get("pass"),
            examined: from_bigint(row.get("examined")),
            batches: from_bigint(row.get("batches")),
            assigned_by: row.get("assigned_by"),
            open_ranges: from_bigint(row.get("open_ranges")),
            processes: from_bigint(row.get("processes")),
        })
    }

    /// Begins the next pass over the table, with these ranges. Only the holder of the lease may do that.
    ///
    /// # Errors
    /// [`crate::Error::LeaseLost`]; [`crate::Error::Database`].
    pub async fn next_pass(&mut self, database: &Database, lease: &Lease, ranges: &[NewRange]) -> Result<()> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        lease.fence(tx.connection()).await?;
        self.close_ranges(tx.connection()).await?;
        self.pass = sqlx::query_scalar("UPDATE tenant_ops.run SET pass = pass + 1 WHERE id = $1 RETURNING pass")
            .bind(self.id)
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("beginning the next pass"))?;
        open_ranges(tx.connection(), self.id, ranges).await?;
        Ok(tx.commit().await?)
    }

    /// Adds the counts of the ranges to the run, and removes the ranges.
    async fn close_ranges(&self, connection: &mut PgConnection) -> Result<(), RlsError> {
        for statement in [
            include_str!("../../../sql/tenant-ops/close_ranges.sql"),
            "DELETE FROM tenant_ops.range WHERE run_id = $1",
            "DELETE FROM tenant_ops.refused WHERE run_id = $1",
        ] {
            sqlx::query(statement)
                .bind(self.id)
                .execute(&mut *connection)
                .await
                .map_err(RlsError::query("ending a pass"))?;
        }
        Ok(())
    }

    /// Marks a running run as done, or as stopped, to be resumed. Only the holder of the lease may do that.
    ///
    /// # Errors
    /// [`crate::Error::LeaseLost`]; [`crate::Error::Database`].
    pub async fn end(&self, database: &Database, lease: &Lease, holder: &str, finished: bool) -> Result<()> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        lease.fence(tx.connection()).await?;
        let state = if finished { RunState::Done } else { RunState::Stopped };
        set_state(tx.connection(), self.id, state, holder, &[RunState::Running]).await?;
        Ok(tx.commit().await?)
    }
}
