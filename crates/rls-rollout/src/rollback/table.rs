//! The tables of a rollback: their order, their columns, and what there is of them.

use std::collections::BTreeMap;

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{AspectKind, Definition, Inventory, read_definitions};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::journal::change::Change;

/// The last table first: a partition cannot lose what its parent still has, and the parent came after it; and a key goes before the index on which
/// it rests.
pub(super) fn last_first(recorded: &BTreeMap<TableName, TableChanges>) -> Vec<(&TableName, &TableChanges)> {
    let mut order: Vec<(&TableName, &TableChanges)> = recorded.iter().collect();
    order.sort_by_key(|(_, recorded)| std::cmp::Reverse(recorded.steps.last()));
    order
}

/// The column whose default, constraints and indexes the journal records: the tenant column of a table, the key of the tenant table.
///
/// # Errors
/// [`Error::Drifted`] where the table has no tenant column any more.
pub(super) fn column_of(
    inventory: &Inventory,
    tenancy: &Tenancy,
    table: &TableName,
    recorded: &TableChanges,
) -> Result<Ident> {
    let of_login = |change: &Change| matches!(change.aspect.kind, AspectKind::Grant | AspectKind::Policy);
    match inventory.relation(table) {
        Some(relation) => Ok(relation.comparison.column.clone()),
        None if *table == inventory.catalog.tenants => Ok(Ident::new(&tenancy.tenant.key)?),
        // A table of a declared login may have none, and what it was given depends on none.
        None if recorded.changes.iter().all(of_login) => Ok(Ident::new(&tenancy.columns[0])?),
        None => Err(Error::Drifted { table: table.clone(), what: "its tenant column".to_owned() }),
    }
}

/// The definition of a table now.
pub(super) async fn read(database: &Database, table: &TableName, column: &Ident) -> Result<Definition> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let definition = read_definitions(tx.connection(), &[(table, column.as_str())]).await?.pop();
    tx.rollback().await?;
    Ok(definition.unwrap_or_default())
}

/// The definitions of tables, each with its column, in one statement.
pub(super) async fn read_all(
    database: &Database,
    tables: &mut BTreeMap<&TableName, (Ident, Definition)>,
) -> Result<()> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let asked: Vec<(&TableName, &str)> = tables.iter().map(|(table, (column, _))| (*table, column.as_str())).collect();
    let definitions = read_definitions(tx.connection(), &asked).await?;
    tx.rollback().await?;
    for ((_, there), definition) in tables.values_mut().zip(definitions) {
        *there = definition;
    }
    Ok(())
}
