//! What partitions had of their own and lose when their table loses what a rollout gave it.

use std::collections::BTreeMap;

use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, Inventory, Relation};
use tenant_rls::Sql;

use crate::error::Result;
use crate::journal::TableChanges;
use crate::journal::change::ChangeState;
use crate::plan::alter;

/// The statements that give the partitions of a table again what dropping its NOT NULL and foreign keys takes from them too, although the
/// partitions had it before the rollout. The server drops it from all of them, as it does not know whose it was first.
pub(super) fn give_back(
    inventory: &Inventory,
    table: &TableName,
    column: &Ident,
    wanted: &BTreeMap<TableName, TableChanges>,
) -> Result<Vec<Sql>> {
    let (Some(root), Some(recorded)) = (inventory.relation(table), wanted.get(table)) else { return Ok(Vec::new()) };
    let dropped: Vec<&Aspect> = recorded
        .changes
        .iter()
        .filter(|change| change.before.is_none() && change.standing(&root.definition) == ChangeState::AsLeft)
        .map(|change| &change.aspect)
        .collect();
    let mut statements = Vec::new();
    for partition in inventory.partitions_of(root) {
        // A partition that came after the rollout has only what its table gave it.
        let Some(of_partition) = wanted.get(&partition.name) else { continue };
        let had = |aspect: &Aspect| !of_partition.changes.iter().any(|c| c.aspect == *aspect && c.before.is_none());
        for (aspect, text) in
            partition.definition.iter().filter(|(aspect, text)| is_dropped(&dropped, root, aspect, text))
        {
            if had(aspect) {
                statements.extend(alter::statements(&partition.name, column, aspect, None, Some(text))?);
            }
        }
    }
    Ok(statements)
}

/// Whether this of a partition goes with what its table loses.
fn is_dropped(dropped: &[&Aspect], root: &Relation, aspect: &Aspect, text: &str) -> bool {
    match aspect.kind {
        AspectKind::NotNull => dropped.contains(&aspect),
        // A key that is the same as the table's became a part of that, whatever its name.
        AspectKind::Constraint if text.starts_with("FOREIGN KEY ") => {
            dropped.iter().any(|of_table| root.definition.get(of_table) == Some(text))
        }
        _ => false,
    }
}
