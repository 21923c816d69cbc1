//! Takes a rollout back: restores each definition that the journal recorded before, or refuses where somebody changed it since.

mod added;
mod checks;
pub(crate) mod options;
mod partitions;
pub(crate) mod report;
mod restore;
mod steps;
mod table;
mod to_undo;
mod untold;

use tenancy_config::Tenancy;
use tenant_inventory::Inventory;
use tenant_ops::{Lease, Rollout};
use tenant_rls::Database;
use tokio::sync::watch;

use crate::born_closed::back::take_back;
use crate::declared_login;
use crate::error::{Error, Result};
use crate::options::RESOURCE;
use crate::rollback::checks::check;
use crate::rollback::options::RollbackOptions;
use crate::rollback::report::{AlsoTakenBack, RollbackReport};
use crate::rollback::restore::restore;
use crate::rollback::to_undo::{StepsToUndo, steps_to_undo};
use crate::run::executor::{Executor, ddl_is_possible};
use crate::run::progress::RolloutEvent;

/// Takes steps back, and stops between two tables once `stop` is true.
///
/// # Errors
/// [`Error::NotTakenBack`] where something stands against it, before the first step; [`Error::Drifted`] where somebody changes a definition
/// meanwhile: nothing of that table is changed then; [`Error::OtherOwner`] where this login may not change one of the tables; [`Error::NothingToUndo`] where the journal has no step to take back; [`Error::Blocked`] where a lock could not be
/// had.
pub async fn rollback(
    database: &Database,
    tenancy: &Tenancy,
    options: &RollbackOptions,
    holder: &str,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<RollbackReport> {
    ddl_is_possible(database)?;
    let StepsToUndo { recorded, last, gone, born_closed, logins } = steps_to_undo(database, tenancy, options).await?;
    let nothing = RollbackReport { gone, dry_run: options.dry_run, ..RollbackReport::default() };
    if recorded.is_empty() && last.is_empty() && born_closed.is_none() && logins.is_none() {
        return Ok(nothing);
    }
    if options.dry_run {
        let inventory = inventory(database, tenancy).await?;
        let tables = check(database, tenancy, &inventory, (&recorded, &last)).await?;
        let also = AlsoTakenBack::of(born_closed.is_some(), logins.is_some());
        return Ok(RollbackReport { tables, also, ..nothing });
    }
    tenant_ops::install(database, tenancy).await?;
    let mut queued = |holder: &str| progress(RolloutEvent::Queued { holder: holder.to_owned() });
    let lease = Lease::acquire(database, RESOURCE, holder, &mut queued).await?;
    let alive = lease.keep_alive(database);
    // Read again: until the lease was ours, somebody else may have taken steps or taken them back.
    let done = async {
        let StepsToUndo { recorded, last, gone, born_closed, logins } =
            steps_to_undo(database, tenancy, options).await?;
        let inventory = inventory(database, tenancy).await?;
        check(database, tenancy, &inventory, (&recorded, &last)).await?;
        let rollout = Rollout::open(database, &format!("rollback --to {}", options.to)).await?;
        let executor = Executor::new(database, &lease, rollout, options.lock_retry);
        let restored = async {
            let tables = restore(&executor, tenancy, &inventory, (&recorded, &last), &stop, progress).await?;
            let born_closed = match &born_closed {
                Some(recorded) if !*stop.borrow() => {
                    Some(take_back(database, tenancy, &lease, rollout, recorded).await?)
                }
                _ => None,
            };
            let logins = match &logins {
                Some(recorded) if !*stop.borrow() => {
                    Some(declared_login::back::take_back(database, &lease, rollout, recorded).await?)
                }
                _ => None,
            };
            Ok::<_, Error>((tables, born_closed, logins))
        };
        let restored = restored.await;
        executor.close().await;
        let mut ended = Ok(());
        if !restored.as_ref().is_err_and(Error::lost_connection) {
            ended = rollout.end(database, restored.is_ok() && !*stop.borrow()).await;
        }
        let restored = restored?;
        // Only this commit is waited for until it is on the disk, and with it the steps: without it they are not certain.
        ended?;
        Ok::<_, Error>((rollout.id, restored, gone))
    };
    let done = done.await;
    drop(alive);
    // Nobody waits for a server that is gone: the lease runs out by itself.
    if !done.as_ref().is_err_and(Error::lost_connection) {
        let _ = lease.release(database).await;
    }
    let (id, (mut tables, born_closed, logins), gone) = done?;
    // Read again: the definitions were restored.
    let inventory = Inventory::load(database, tenancy, None, &[]).await?;
    for table in &mut tables {
        table.phase = inventory.relation(&table.table).map(|relation| inventory.phase(relation));
    }
    let (rollout, stopped) = (Some(id), *stop.borrow());
    Ok(RollbackReport { rollout, stopped, tables, gone, born_closed, logins, ..RollbackReport::default() })
}

/// What is there. A table that was declared exempt since goes back as well.
async fn inventory(database: &Database, tenancy: &Tenancy) -> Result<Inventory> {
    let mut declared = tenancy.clone();
    declared.tables.values_mut().for_each(|rules| rules.exempt = None);
    Ok(Inventory::load(database, &declared, None, &[]).await?)
}
