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

/// What breaks under FORCE, and what does not.
pub(crate) fn notice(backup_logins: &[String], inventory: &Inventory) -> String {
    let still = if backup_logins.is_empty() {
        format!(
            "No login here can still dump everything. A superuser makes one: CREATE ROLE dumper LOGIN BYPASSRLS; \
             GRANT pg_read_all_data TO dumper. Where the host gives nobody that, dump as {} what it may read, or take \
             `enforce` back for the dump",
            inventory.logins.auditor.0
        )
    } else {
        format!("Dump as {}, which no policy filters", backup_logins.join(" or "))
    };
    format!(
        "from `enforce` on, the owner is filtered too: pg_dump and COPY as the owner fail or see less, and so do its jobs and those of \
         its migrations that touch rows. {still}"
    )
}
