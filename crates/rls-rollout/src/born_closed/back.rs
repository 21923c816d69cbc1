//! Takes the event trigger that closes new tables back, as it was before.

use serde::Serialize;
use tenancy_config::Tenancy;
use tenant_inventory::{BornClosed, Definition};
use tenant_ops::{Lease, Rollout, disable_born_closed, drop_born_closed, make_born_closed};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::journal::change::ChangeState;

/// What became of the event trigger that closes new tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BornClosedBack {
    /// It is as it was before: in most cases it is gone.
    Restored,
    /// This login may not change it. It stays, and so does its step in the journal.
    NotAllowed,
    /// Somebody changed it since. It stays as it is.
    Changed,
}

/// Restores it.
///
/// # Errors
/// [`Error::Database`]; [`Error::Ops`] where the lease is another's by now.
pub(crate) async fn take_back(
    database: &Database,
    tenancy: &Tenancy,
    lease: &Lease,
    rollout: Rollout,
    recorded: &TableChanges,
) -> Result<BornClosedBack> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    lease.fence(tx.connection()).await?;
    let there = BornClosed::read(tx.connection(), tenancy).await?;
    let now: Definition = there.iter().map(|there| (BornClosed::aspect(), there.text())).collect();
    for change in &recorded.changes {
        let done = match (change.state_in(&now), change.before.as_deref()) {
            (ChangeState::AsBefore, _) => Ok(()),
            (ChangeState::Drifted, _) => {
                tx.rollback().await?;
                return Ok(BornClosedBack::Changed);
            }
            (ChangeState::AsLeft, None) => drop_born_closed(tx.connection()).await,
            (ChangeState::AsLeft, Some(before)) => {
                let Some((rules, enabled)) = BornClosed::from_text(before) else {
                    tx.rollback().await?;
                    return Ok(BornClosedBack::Changed);
                };
                let made = make_born_closed(tx.connection(), tenancy, rules).await;
                if made.is_ok() && !enabled { disable_born_closed(tx.connection()).await } else { made }
            }
        };
        match done {
            Ok(()) => {}
            Err(tenant_ops::Error::Database(error)) if error.sqlstate() == Some("42501") => {
                tx.rollback().await?;
                return Ok(BornClosedBack::NotAllowed);
            }
            Err(error) => return Err(Error::Ops(error)),
        }
    }
    rollout.undo(tx.connection(), &recorded.steps).await?;
    tx.commit().await?;
    Ok(BornClosedBack::Restored)
}
