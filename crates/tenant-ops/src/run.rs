//! Runs: what was started, in which state it is, and its passes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use tenant_rls::{Database, Error as RlsError};

use crate::host::this_host;
use crate::lane::{NewRange, open_lanes};
use crate::owner::{act, begin};
use crate::state::{RunProgress, RunState, set_state};
use crate::{LEASE_TTL, Lease, Result};

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
    /// What whoever leads a run of this kind holds a lease on.
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
    /// When it began, if it is being resumed.
    pub resumed_from: Option<DateTime<Utc>>,
}

pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

impl Run {
    /// The unfinished run of the same kind, or a new one; with these lanes, if it has none. A paused one stays paused.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn resume_or_open(database: &Database, new: &NewRun, holder: &str, lanes: &[NewRange]) -> Result<Self> {
        let mut tx = begin(database, Duration::from_secs(5)).await?;
        let run = match Self::unfinished(tx.connection(), new).await? {
            Some((run, _)) => {
                set_state(tx.connection(), run.id, RunState::Running, holder, &[RunState::Stopped]).await?;
                run
            }
            None => Self::open_in(tx.connection(), new).await?,
        };
        open_lanes(tx.connection(), run.id, lanes).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// The run of the same kind that somebody else is working at, to help with it.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn join(database: &Database, new: &NewRun) -> Result<Option<Self>> {
        let mut tx = begin(database, Duration::from_secs(5)).await?;
        let found = Self::unfinished(tx.connection(), new).await?;
        tx.rollback().await?;
        Ok(found.filter(|(_, state)| *state != RunState::Stopped).map(|(run, _)| run))
    }

    async fn unfinished(connection: &mut PgConnection, new: &NewRun) -> Result<Option<(Self, RunState)>, RlsError> {
        let row = sqlx::query(include_str!("../../../sql/ops/unfinished_run.sql"))
            .bind(&new.table)
            .bind(new.on_conflict)
            .bind(&new.sources)
            .fetch_optional(connection)
            .await
            .map_err(RlsError::query("looking for an unfinished run"))?;
        let run = |row: sqlx::postgres::PgRow| {
            let run = Self { id: row.get(0), pass: row.get(1), resumed_from: Some(row.get(3)) };
            (run, RunState::parse(row.get(2)))
        };
        Ok(row.map(run))
    }

    /// Opens a run inside an open transaction: for a dry run, which takes it back.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn open_in(connection: &mut PgConnection, new: &NewRun) -> Result<Self, RlsError> {
        let before = act(connection).await?;
        let id = sqlx::query_scalar(include_str!("../../../sql/ops/open_run.sql"))
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

    /// How the run stands.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn standing(&self, database: &Database) -> Result<RunProgress> {
        let mut tx = begin(database, Duration::from_secs(5)).await?;
        let row = sqlx::query(include_str!("../../../sql/ops/run_standing.sql"))
            .bind(self.id)
            .bind(LEASE_TTL.as_millis() as i64)
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("asking how the run stands"))?;
        tx.rollback().await?;
        Ok(RunProgress {
            state: RunState::parse(row.get(0)),
            state_by: row.get(1),
            state_at: row.get(2),
            pass: row.get(3),
            examined: unsigned(row.get(4)),
            batches: unsigned(row.get(5)),
            assigned_by: row.get(6),
            open_ranges: unsigned(row.get(7)),
            processes: unsigned(row.get(8)),
        })
    }

    /// Begins the next pass over the table, with these lanes. Only whoever holds the lease may.
    ///
    /// # Errors
    /// [`crate::Error::LeaseLost`]; [`crate::Error::Database`].
    pub async fn next_pass(&mut self, database: &Database, lease: &Lease, lanes: &[NewRange]) -> Result<()> {
        let mut tx = begin(database, Duration::from_secs(5)).await?;
        lease.fence(tx.connection()).await?;
        self.close_lanes(tx.connection()).await?;
        self.pass = sqlx::query_scalar("UPDATE tenant_ops.run SET pass = pass + 1 WHERE id = $1 RETURNING pass")
            .bind(self.id)
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("beginning the next pass"))?;
        open_lanes(tx.connection(), self.id, lanes).await?;
        Ok(tx.commit().await?)
    }

    /// Takes the lanes' counts over into the run, and the lanes away.
    async fn close_lanes(&self, connection: &mut PgConnection) -> Result<(), RlsError> {
        for statement in [
            include_str!("../../../sql/ops/close_ranges.sql"),
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

    /// Marks a running run as done, or as stopped, to be resumed. Only whoever holds the lease may.
    ///
    /// # Errors
    /// [`crate::Error::LeaseLost`]; [`crate::Error::Database`].
    pub async fn end(&self, database: &Database, lease: &Lease, holder: &str, finished: bool) -> Result<()> {
        let mut tx = begin(database, Duration::from_secs(5)).await?;
        lease.fence(tx.connection()).await?;
        let state = if finished { RunState::Done } else { RunState::Stopped };
        set_state(tx.connection(), self.id, state, holder, &[RunState::Running]).await?;
        Ok(tx.commit().await?)
    }
}
