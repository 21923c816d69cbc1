//! What operators do with a run: show its state, pause, resume and cancel it.

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_inventory::coverage::Coverage;
use tenant_ops::{RunProcessRecord, RunRecord, RunState, change_state};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::{Error, Result};

/// The state of a run and its processes. The JSON shape is `backfill-status/3`.
#[derive(Debug, Clone, Serialize)]
pub struct RunStatus {
    /// The run.
    pub run: RunRecord,
    /// The processes that work at it, and those that died without leaving it.
    pub processes: Vec<RunProcessRecord>,
    /// Of which tables of the database the run is.
    pub coverage: Coverage,
}

/// Reads the state of a run and its processes.
///
/// # Errors
/// [`Error::NoRun`] if there is no such run; [`Error::Ops`] if the book-keeping is not usable; [`Error::Database`] if
/// the database cannot be read.
pub async fn status(database: &Database, tenancy: &Tenancy, run: i64) -> Result<RunStatus> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let record = tenant_ops::runs(tx.connection(), tenancy, Some(run)).await?.pop().ok_or(Error::NoRun { run })?;
    let processes = tenant_ops::processes(tx.connection(), run).await?;
    tx.rollback().await?;
    let coverage = Coverage::read(database, tenancy, |name| name.to_string() == record.table).await?;
    Ok(RunStatus { run: record, processes, coverage })
}

/// Pauses, resumes or cancels a run. When this returns, no batch of the old state is open. A run that is in this state
/// already stays in it.
///
/// # Errors
/// [`Error::NoRun`] if there is no such run; [`Error::NotPossible`] if the run is over, or no process works at it and
/// it cannot be resumed; [`Error::Ops`] if the book-keeping is not usable; [`Error::Database`] if the database refuses.
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
