//! Takes the declared logins back, after their tables: a role goes if a rollout made it, and nothing else depends on it.

use serde::Serialize;
use tenancy_config::Ident;
use tenant_inventory::AspectKind;
use tenant_ops::{Lease, Rollout};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx, Sql};

use crate::declared_login::role::{drop_role, revoke, role_id};
use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::journal::change::Change;

/// What became of the declared logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "login", rename_all = "snake_case")]
pub enum LoginsBack {
    /// They are as they were before: roles that a rollout made are gone.
    Restored {
        /// The roles that were dropped.
        dropped: Vec<String>,
    },
    /// The server refused: something else depends on the role, or this login may not drop it. All of them stay, and so do their steps in the journal.
    Kept {
        /// The role.
        role: String,
        /// What the server said.
        message: String,
    },
}

impl LoginsBack {
    pub(crate) fn is_restored(&self) -> bool {
        matches!(self, Self::Restored { .. })
    }
}

/// Restores it.
///
/// # Errors
/// [`Error::Database`]; [`Error::Ops`] where the lease is another's by now.
pub(crate) async fn take_back(
    database: &Database,
    lease: &Lease,
    rollout: Rollout,
    recorded: &TableChanges,
) -> Result<LoginsBack> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    lease.fence(tx.connection()).await?;
    match take_away(&mut tx, &recorded.changes).await? {
        Err(Kept { role, message }) => {
            tx.rollback().await?;
            Ok(LoginsBack::Kept { role, message })
        }
        Ok(taken) => {
            rollout.undo(tx.connection(), &recorded.steps).await?;
            tx.commit().await?;
            Ok(LoginsBack::Restored { dropped: taken.dropped })
        }
    }
}

/// What was taken from logins.
#[derive(Debug, Default)]
pub(crate) struct TakenAway {
    /// The roles that were dropped.
    pub(crate) dropped: Vec<String>,
    /// The statements.
    pub(crate) statements: Vec<Sql>,
}

/// Why a role stays.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The role.
    pub(crate) role: String,
    /// What the server said.
    pub(crate) message: String,
}

/// Takes away what a rollout gave a login beside its tables, and the role if a rollout made it. The answer is what keeps it, after which the transaction
/// can only be rolled back.
///
/// # Errors
/// [`Error::Database`].
pub(crate) async fn take_away(tx: &mut OwnerTx, changes: &[Change]) -> Result<std::result::Result<TakenAway, Kept>> {
    let mut taken = TakenAway::default();
    // First what the role may use, which would keep it.
    let mut changes: Vec<_> = changes.iter().filter(|change| change.before.is_none()).collect();
    changes.sort_by_key(|change| change.aspect.kind == AspectKind::Role);
    for change in changes {
        let is_role = change.aspect.kind == AspectKind::Role;
        let role = Ident::new(if is_role { &change.aspect.name } else { &change.aspect.role })?;
        let there = role_id(tx.connection(), &role).await?;
        // One that somebody dropped, or made again since, is not ours.
        let statement = match there {
            None => None,
            Some(_) if !is_role => revoke(&change.aspect)?,
            id if id == change.after => Some(drop_role(&role)),
            Some(_) => None,
        };
        let Some(statement) = statement else { continue };
        match tx.run("taking a declared login back", &statement).await {
            Ok(()) => taken.dropped.extend(is_role.then(|| role.to_string())),
            // Something depends on it, it is gone, or this login may not.
            Err(error) if matches!(error.sqlstate(), Some("2BP01" | "42501" | "42704" | "42P01" | "3F000")) => {
                return Ok(Err(Kept { role: role.to_string(), message: error.to_string() }));
            }
            Err(error) => return Err(Error::Database(error)),
        }
        taken.statements.push(statement);
    }
    Ok(Ok(taken))
}
