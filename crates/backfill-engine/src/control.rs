//! What an operator does with a run from outside: how it stands, pause, resume, cancel.

use std::time::Duration;

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_ops::{RunProcessRecord, RunRecord, RunState, change_state};
use tenant_rls::{Database, OwnerTx};

use crate::{Error, Result};

/// How a run stands; its JSON is `backfill-status/2`.
#[derive(Debug, Clone, Serialize)]
pub struct RunStatus {
    /// The run.
    pub run: RunRecord,
    /// The processes that work at it, or did and died.
    pub processes: Vec<RunProcessRecord>,
}

/// How a run stands.
///
/// # Errors
/// [`Error::NoRun`]; [`Error::Ops`]; [`Error::Database`].
pub async fn status(database: &Database, tenancy: &Tenancy, run: i64) -> Result<RunStatus> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let record = tenant_ops::runs(tx.connection(), tenancy, Some(run)).await?.pop().ok_or(Error::NoRun { run })?;
    let processes = tenant_ops::members(tx.connection(), run).await?;
    tx.rollback().await?;
    Ok(RunStatus { run: record, processes })
}

/// Pauses a run, lets a paused one go on, or cancels one; when this returns, no batch of the old state is open. A run that is in
/// that state already stays so.
///
/// # Errors
/// [`Error::NoRun`]; [`Error::NotPossible`] where it is over, or nobody works at it and it cannot go on.
pub async fn change(database: &Database, tenancy: &Tenancy, run: i64, state: RunState, by: &str) -> Result<RunStatus> {
    let before = status(database, tenancy, run).await?;
    let from: &[RunState] = match state {
        RunState::Paused => &[RunState::Running],
        RunState::Running => &[RunState::Paused],
        _ => &[RunState::Running, RunState::Paused, RunState::Stopped],
    };
    let now = change_state(database, tenancy, run, state, by, from).await?;
    match now {
        Some((now, changed)) if changed || now == state => status(database, tenancy, run).await,
        Some((now, _)) => Err(Error::NotPossible { run, now, wanted: state, table: before.run.table }),
        None => Err(Error::NoRun { run }),
    }
}
