//! The processes of a run, for people to look at: a row that each keeps alive.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenant_rls::{Database, Error as RlsError};
use tokio::sync::watch;

use crate::owner::{act, begin};
use crate::run::unsigned;
use crate::{HEARTBEAT, Heartbeat, LEASE_TTL, Result};

/// This process, as a member of a run.
#[derive(Debug, Clone)]
pub struct RunProcess {
    id: i64,
}

/// A process that works, or worked, at a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunProcessRecord {
    /// Who it is: user, host and process.
    pub holder: String,
    /// How many batches it does at once.
    pub workers: u64,
    /// What keeps it from full speed.
    pub note: Option<String>,
    /// When it came.
    pub joined_at: DateTime<Utc>,
    /// Its last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// Whether that was lately.
    pub alive: bool,
}

impl RunProcess {
    /// Enters this process.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn enter(database: &Database, run: i64, holder: &str, workers: u32) -> Result<Self> {
        let mut tx = begin(database, Duration::from_secs(5)).await?;
        sqlx::query(include_str!("../../../sql/ops/forget_run_processes.sql"))
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

    /// Gives a sign of life, with what keeps this process from full speed.
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

    /// Gives signs of life until the answer is dropped, each with the note of that moment.
    #[must_use]
    pub fn keep_alive(&self, database: &Database, note: watch::Receiver<Option<String>>) -> Heartbeat {
        let (database, member) = (database.clone(), self.clone());
        Heartbeat::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let note = note.borrow().clone();
                // A missed sign of life is made up by the next one.
                let _ = member.heartbeat(&database, note.as_deref()).await;
            }
        })
    }

    /// Takes this process out.
    ///
    /// # Errors
    /// [`crate::Error::Database`]; its sign of life grows old then.
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

/// The processes of a run, in the order in which they came.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn members(connection: &mut PgConnection, run: i64) -> Result<Vec<RunProcessRecord>, RlsError> {
    let before = act(connection).await?;
    let rows = sqlx::query(include_str!("../../../sql/ops/run_processes.sql"))
        .bind(run)
        .bind(LEASE_TTL.as_millis() as i64)
        .fetch_all(&mut *connection)
        .await
        .map_err(RlsError::query("asking which processes work at the run"))?;
    before.again(connection).await?;
    let member = |row: &sqlx::postgres::PgRow| RunProcessRecord {
        holder: row.get(0),
        workers: unsigned(row.get::<i32, _>(1).into()),
        note: row.get(2),
        joined_at: row.get(3),
        heartbeat_at: row.get(4),
        alive: row.get(5),
    };
    Ok(rows.iter().map(member).collect())
}
