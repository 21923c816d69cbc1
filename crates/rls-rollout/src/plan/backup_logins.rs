//! The logins that can still dump the tables once their owner is filtered.

use tenant_inventory::Inventory;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

use crate::error::Result;

/// Logins that no policy filters and that may read every table.
pub(crate) async fn backup_logins(database: &Database, inventory: &Inventory) -> Result<Vec<String>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let names = sqlx::query_scalar(include_str!("../../../../sql/rls-rollout/dumpers.sql"))
        .bind(inventory.schemas())
        .bind(inventory.names())
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking which logins can still dump the tables"))?;
    tx.rollback().await?;
    Ok(names)
}
