//! The processes of a run, as `status` shows them: each renews a row of its own.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::milliseconds;
use tenant_rls::row_count::{from_bigint, to_bigint};
use tenant_rls::{Database, Error as RlsError};
use tokio::sync::watch;

use crate::error::Result;
use crate::lease::{HEARTBEAT, Heartbeat, LEASE_TTL};
use crate::owner::{LOCK_TIMEOUT, act, begin};

/// This process, as one that works at a run.
#[derive(Debug, Clone)]
pub struct RunProcess {
    id: i64,
}

/// A process that works, or worked, at a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunProcessRecord {
    /// Who it is: user, host and process.
    pub holder: String,
    /// The batches that it does at once.
    pub workers: u64,
    /// What keeps it from full speed.
    pub note: Option<String>,
    /// When it joined.
    pub joined_at: DateTime<Utc>,
    /// Its last heartbeat.
    pub heartbeat_at: DateTime<Utc>,
    /// Whether that is recent.
    pub alive: bool,
}

impl RunProcess {
    /// Enters this process.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn enter(database: &Database, run: i64, holder: &str, workers: u32) -> Result<Self> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        sqlx::query(include_str!("../../../sql/tenant-ops/forget_run_processes.sql"))
            .bind(run)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("taking out processes that died"))?;
        let enter = "INSERT INTO tenant_ops.run_process (run_id, holder, workers) VALUES ($1, $2, $3) RETURNING id";
        let id = sqlx::query_scalar(enter)
            .bind(run)
            .bind(holder)
            .bind(i32::try_from(workers).unwrap_or(i32::MAX))
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("entering this process"))?;
        tx.commit().await?;
        Ok(Self { id })
    }

    /// Gives a heartbeat, with what keeps this process from full speed.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn heartbeat(&self, database: &Database, note: Option<&str>) -> Result<()> {
        let mut tx = begin(database, HEARTBEAT).await?;
        sqlx::query("UPDATE tenant_ops.run_process SET heartbeat_at = clock_timestamp(), note = $2 WHERE id = $1")
            .bind(self.id)
            .bind(note)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("giving a sign of life"))?;
        Ok(tx.commit().await?)
    }

    /// Gives heartbeats until the answer is dropped, each with the note of that moment.
    #[must_use]
    pub fn keep_alive(&self, database: &Database, note: watch::Receiver<Option<String>>) -> Heartbeat {
        let (database, process) = (database.clone(), self.clone());
        Heartbeat::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let note = note.borrow().clone();
                // The next heartbeat makes up for one that failed.
                let _ = process.heartbeat(&database, note.as_deref()).await;
            }
        })
    }

    /// Takes this process out.
    ///
    /// # Errors
    /// [`crate::Error::Database`]; the process counts as dead then once its heartbeat is old.
    pub async fn leave(&self, database: &Database) -> Result<()> {
        let mut tx = begin(database, HEARTBEAT).await?;
        sqlx::query("DELETE FROM tenant_ops.run_process WHERE id = $1")
            .bind(self.id)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("taking this process out"))?;
        Ok(tx.commit().await?)
    }
}

/// The processes of a run, in the order in which they joined.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn processes(connection: &mut PgConnection, run: i64) -> Result<Vec<RunProcessRecord>, RlsError> {
    let before = act(connection).await?;
    let rows = sqlx::query(include_str!("../../../sql/tenant-ops/run_processes.sql"))
        .bind(run)
        .bind(to_bigint(milliseconds(LEASE_TTL)))
        .fetch_all(&mut *connection)
        .await
        .map_err(RlsError::query("asking which processes work at the run"))?;
    before.again(connection).await?;
    let record = |row: &sqlx::postgres::PgRow| RunProcessRecord {
        holder: row.get("holder"),
        workers: from_bigint(row.get::<i32, _>("workers").into()),
        note: row.get("note"),
        joined_at: row.get("joined_at"),
        heartbeat_at: row.get("heartbeat_at"),
        alive: row.get("alive"),
    };
    Ok(rows.iter().map(record).collect())
}
