//! The rollout: table by table, phase by phase, as far as the data allows.

pub(crate) mod activity;
mod added;
pub(crate) mod before;
pub(crate) mod check;
pub(crate) mod executor;
pub(crate) mod lacking;
mod locked;
pub(crate) mod preflight;
pub(crate) mod progress;
pub(crate) mod refused;
pub(crate) mod report;
mod restore;
mod roles;

use tenancy_config::{TableName, Tenancy};
use tenant_ops::{Lease, Rollout};
use tenant_rls::Database;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::options::{RESOURCE, RolloutOptions};
use crate::plan::coverage::RolloutCoverage;
use crate::plan::not_added::NotAdded;
use crate::run::before::before;
use crate::run::executor::{Executor, ddl_is_possible};
use crate::run::locked::locked;
use crate::run::progress::RolloutEvent;
use crate::run::report::{RolloutReport, table_outcome};
use crate::run::restore::restore;
use crate::state::RolloutState;

/// Rolls out, to the goal or until `stop` is true: the running step is finished then, and the next run goes on after it.
///
/// # Errors
/// [`Error::ApplicationOwns`] where the application's role owns tables and nobody agreed that policies filter it; [`Error::Preflight`] where a
/// step would surely fail; [`tenant_ops::Error::Held`] where another rollout runs; [`Error::Blocked`] where a lock on the tenant table could
/// not be had;
/// [`tenant_rls::Error::CannotSee`] where no role sees every row, which the audit before `tighten` needs. Every step that was done stays.
pub async fn rollout(
    database: &Database,
    tenancy: &Tenancy,
    options: &RolloutOptions,
    holder: &str,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<RolloutReport> {
    ddl_is_possible(database)?;
    // What is awaited is on the heap: in a debug build the frames of all of it together would take most of a thread's stack.
    let before = Box::pin(before(database, tenancy, options, progress)).await?;
    tenant_ops::install(database, tenancy).await?;
    let mut queued = |holder: &str| progress(RolloutEvent::Queued { holder: holder.to_owned() });
    let lease = Lease::acquire(database, RESOURCE, holder, &mut queued).await?;
    let alive = lease.keep_alive(database);
    let command = format!("rollout --phase {}", options.goal.as_str());
    // Read again: until the lease was ours, somebody else may have gone further.
    let state = Box::pin(RolloutState::for_rollout(database, tenancy, options)).await?;
    let rollout = Rollout::open(database, &command).await?;
    let executor = Executor::new(database, &lease, rollout, options.lock_retry);
    let locked = Box::pin(locked(&executor, options, holder, &stop, state, progress)).await;
    let restored = Box::pin(restore(&executor, tenancy, options, locked.state, progress)).await;
    executor.close().await;
    let stopped = *stop.borrow();
    let lost = restored.as_ref().is_err_and(Error::lost_connection);
    drop(alive);
    let mut ended = Ok(());
    // Nobody waits for a server that is gone: the lease runs out.
    if !lost {
        ended = rollout.end(database, locked.done.is_ok() && restored.is_ok() && !stopped).await;
        let _ = lease.release(database).await;
    }
    locked.done?;
    let restored = restored?;
    // Only this commit is waited for until it is on the disk, and with it the steps: without it they are not certain.
    ended?;
    let state = match restored {
        Some(state) => state,
        // Read again: FORCE was restored.
        None => Box::pin(RolloutState::for_rollout(database, tenancy, options)).await?,
    };
    let inventory = &state.inventory;
    let outcome = |relation| table_outcome(inventory, relation, &before.phases, &locked.outcomes);
    let is_stopped =
        |table: &TableName| locked.outcomes.get(table).is_some_and(|outcome| !outcome.verdict.stopped_by.is_empty());
    let of_tables = locked.outcomes.values().any(|outcome| outcome.steps > 0 || outcome.filled.is_some());
    let of_logins = locked.logins.iter().any(|login| login.steps > 0);
    let did_something = of_tables || of_logins || locked.left.iter().any(|left| left.steps > 0);
    Ok(RolloutReport {
        schema: "rls-rollout/2",
        rollout: did_something.then_some(rollout.id),
        goal: options.goal,
        preflight: before.checks,
        stopped,
        tables: inventory.relations.iter().map(outcome).collect(),
        not_added: NotAdded::of(&state),
        coverage: RolloutCoverage::of(inventory, is_stopped),
        logins: locked.logins,
        left: locked.left,
    })
}
