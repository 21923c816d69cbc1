//! What partitions had of their own and lose when their table loses what a rollout gave it.

use std::collections::BTreeMap;

use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, Inventory, Relation, RelationKind};
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::journal::TableChanges;
use crate::journal::change::ChangeState;
use crate::plan::alter;

/// What partitions lose with their table, and get back.
#[derive(Debug, Default)]
pub(super) struct GivenBack {
    /// The statements, which run in the step that takes it from the table. A key is not proven there, as the partition may still be forced.
    pub(super) statements: Vec<Sql>,
    /// The keys that are to be proven, with the partition's own step.
    pub(super) unproven: Vec<(TableName, String)>,
}

/// Gives the partitions of a table again what dropping its NOT NULL and foreign keys takes from them too, although the partitions had it before
/// the rollout. The server drops it from all of them, as it does not know whose it was first.
pub(super) fn give_back(
    inventory: &Inventory,
    table: &TableName,
    column: &Ident,
    wanted: &BTreeMap<TableName, TableChanges>,
) -> Result<GivenBack> {
    let mut given = GivenBack::default();
    let (Some(root), Some(recorded)) = (inventory.relation(table), wanted.get(table)) else { return Ok(given) };
    let dropped: Vec<&Aspect> = recorded
        .changes
        .iter()
        .filter(|change| change.before.is_none() && change.state_in(&root.definition) == ChangeState::AsLeft)
        .map(|change| &change.aspect)
        .collect();
    for partition in inventory.partitions_of(root) {
        // A partition that came after the rollout has only what its table gave it.
        let Some(of_partition) = wanted.get(&partition.name) else { continue };
        let had = |aspect: &Aspect| !of_partition.changes.iter().any(|c| c.aspect == *aspect && c.before.is_none());
        let lost = partition.definition.iter().filter(|(aspect, text)| is_dropped(&dropped, root, aspect, text));
        for (aspect, text) in lost.filter(|(aspect, _)| had(aspect)) {
            let mut text = text.to_owned();
            if aspect.kind == AspectKind::Constraint && partition.kind != RelationKind::Partitioned {
                text += " NOT VALID";
                given.unproven.push((partition.name.clone(), aspect.name.clone()));
            }
            given.statements.extend(alter::statements(&partition.name, column, aspect, None, Some(&text))?);
        }
    }
    Ok(given)
}

/// The statement that proves a key which was given back.
pub(super) fn prove(partition: &TableName, key: &str) -> Result<Sql> {
    let validate = Template::new("ALTER TABLE :\"table\" VALIDATE CONSTRAINT :\"key\"").table("table", partition);
    Ok(validate.ident("key", &Ident::new(key)?).build().running_application_code())
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
