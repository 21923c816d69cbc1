//! Functions and views that read tables as an owner whom policies filter once the tables are forced.

use tenant_inventory::{AspectKind, Inventory, Relation, Way, ways_around};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

use crate::error::Result;

/// Those that read a table which is not forced yet. Afterwards they see the rows of the session's tenant alone.
pub(crate) async fn sees_less(database: &Database, inventory: &Inventory) -> Result<Vec<Way>> {
    let to_force = |relation: &&Relation| relation.unhandled.is_none() && !relation.definition.has(AspectKind::Forced);
    let relations: Vec<Relation> = inventory.relations.iter().filter(to_force).cloned().collect();
    if relations.is_empty() {
        return Ok(Vec::new());
    }
    let mut ways = ways_around(database, &relations).await?;
    let owners: Vec<String> = ways.iter().map(|way| way.owner.clone()).collect();
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let filtered: Vec<String> = sqlx::query_scalar(include_str!("../../../../sql/rls-rollout/filtered_roles.sql"))
        .bind(owners)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking which owners policies filter"))?;
    tx.rollback().await?;
    ways.retain(|way| filtered.contains(&way.owner));
    Ok(ways)
}
