//! The state and the progress of a run, and how an operator changes the state.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use tenancy_config::Tenancy;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Backoff, Database, Error as RlsError, OwnerTx, retry_locks};

use crate::error::Result;
use crate::owner::{LOCK_TIMEOUT, act, begin};
use crate::trust::verified;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Processes may work at it.
    Running,
    /// An operator paused it; its processes wait.
    Paused,
    /// Its processes ended before it was done; the next one continues it.
    Stopped,
    /// An operator ended it; it is not resumed.
    Cancelled,
    /// It has done what it was begun for.
    Done,
    /// It is being taken back, or an undo of it was stopped; the same command goes on.
    Undoing,
    /// It was taken back.
    Undone,
}

impl RunState {
    /// As `tenant_ops.run` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// A CHECK constraint allows these words only.
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "paused" => Self::Paused,
            "cancelled" => Self::Cancelled,
            "done" => Self::Done,
            "undoing" => Self::Undoing,
            "undone" => Self::Undone,
            _ => Self::Stopped,
        }
    }
}

/// The progress of a run, with what all its processes did.
#[derive(Debug, Clone)]
pub struct RunProgress {
    /// Its state.
    pub state: RunState,
    /// Who set that.
    pub state_by: Option<String>,
    /// When.
    pub state_at: DateTime<Utc>,
    /// The pass.
    pub pass: i32,
    /// Rows examined; a row counts once for each pass.
    pub examined: u64,
    /// Transactions.
    pub batches: u64,
    /// Rows assigned, by source, best first.
    pub assigned_by: Vec<i64>,
    /// Ranges that are not done.
    pub open_ranges: u64,
    /// Processes with a recent heartbeat.
    pub processes: u64,
}

impl RunProgress {
    /// Rows assigned.
    pub fn assigned(&self) -> u64 {
        from_bigint(self.assigned_by.iter().sum())
    }
}

/// Sets the state of a run that is in one of `from`, and returns whether it was.
pub(crate) async fn set_state(
    connection: &mut PgConnection,
    run: i64,
    state: RunState,
    by: &str,
    from: &[RunState],
) -> Result<bool, RlsError> {
    let from: Vec<&str> = from.iter().copied().map(RunState::as_str).collect();
    let changed = sqlx::query(include_str!("../../../sql/tenant-ops/set_state.sql"))
        .bind(run)
        .bind(state.as_str())
        .bind(by)
        .bind(from)
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("changing the state of the run"))?;
    Ok(changed.is_some())
}

/// Changes the state of a run for an operator, and waits for the batches that were running: after this no process writes
/// in the old state. `None` where there is no such run; else the state that it has, and whether that is new.
///
/// # Errors
/// [`crate::Error::Untrusted`]; [`crate::Error::Database`].
pub async fn change_state(
    database: &Database,
    tenancy: &Tenancy,
    run: i64,
    state: RunState,
    by: &str,
    from: &[RunState],
) -> Result<Option<(RunState, bool)>> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    if verified(tx.connection(), tenancy).await?.is_none() {
        return Ok(None);
    }
    // The transaction ends with the book-keeping.
    let _ = act(tx.connection()).await?;
    let changed = set_state(tx.connection(), run, state, by, from).await?;
    let now: Option<String> = sqlx::query_scalar("SELECT state FROM tenant_ops.run WHERE id = $1")
        .bind(run)
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query("reading the state of the run"))?;
    tx.commit().await?;
    if changed {
        settle(database, run).await?;
    }
    Ok(now.map(|now| (RunState::parse(&now), changed)))
}

/// Waits until no batch of the run is open.
async fn settle(database: &Database, run: i64) -> Result<()> {
    let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 12);
    Ok(retry_locks(backoff, async || {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        sqlx::query("SELECT FROM tenant_ops.range WHERE run_id = $1 ORDER BY id FOR UPDATE")
            .bind(run)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("waiting for the running batches"))?;
        tx.rollback().await
    })
    .await?)
}
