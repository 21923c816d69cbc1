//! What a plan must say beside its steps.

use std::collections::BTreeSet;

use tenancy_config::TableName;
use tenant_inventory::{AspectKind, Inventory, Phase, Relation, Way};

use crate::plan::membership;
use crate::plan::notice::Notice;
use crate::plan::step::Step;

/// What to know of a plan.
pub(crate) fn notices(
    steps: &[Step],
    inventory: &Inventory,
    backup_logins: Vec<String>,
    sees_less: Vec<Way>,
) -> Vec<Notice> {
    let any = |phase| steps.iter().any(|step| step.phase == phase);
    let mut notices = Vec::new();
    if !inventory.catalog.registry.can_be_referenced() {
        notices.push(Notice::Registry { state: inventory.catalog.registry });
    }
    notices.extend(membership::inherited(inventory));
    notices.extend(inventory.born_closed.clone().map(|born_closed| Notice::BornClosed { born_closed }));
    if any(Phase::Prepare) {
        let variable = inventory.tenancy.tenant_setting().to_string();
        notices.push(Notice::Filtered { variable: variable.clone() });
        let tables = platform_tables(steps, inventory);
        notices.extend((!tables.is_empty()).then_some(Notice::PlatformRows { tables, variable }));
    }
    if any(Phase::Tighten) {
        notices.push(Notice::InsertsNeedTenant);
    }
    if any(Phase::Enforce) {
        notices.push(Notice::OwnerFiltered { backup_logins, auditor: inventory.logins.auditor.0.to_string() });
        notices.extend(application_owns(inventory));
        notices.extend(sees_less.into_iter().map(|way| Notice::SeesLess { way: Box::new(way) }));
    }
    notices
}

/// The tables with rows of the platform that `prepare` changes; of a partitioned one not its partitions.
fn platform_tables(steps: &[Step], inventory: &Inventory) -> Vec<TableName> {
    let is_changed = |table: &TableName| steps.iter().any(|step| step.phase == Phase::Prepare && step.table == *table);
    let relations = inventory.relations.iter().filter(|relation| relation.platform_rows);
    let changed = relations.filter(|relation| is_changed(&relation.name));
    let roots: BTreeSet<TableName> = changed.map(|relation| inventory.audited_as(relation)).collect();
    roots.into_iter().collect()
}

/// The notice that the application's role owns tables that are not forced yet, where it does.
pub(crate) fn application_owns(inventory: &Inventory) -> Option<Notice> {
    let (app, state) = &inventory.logins.app;
    let becomes: BTreeSet<&str> = inventory.logins.escapes.iter().map(|escape| escape.role.as_str()).collect();
    let owned = |owner: &str| state.exists && (owner == app.as_str() || becomes.contains(owner));
    let open = |relation: &Relation| relation.unhandled.is_none() && !relation.definition.has(AspectKind::Forced);
    let tables: Vec<TableName> = inventory
        .relations
        .iter()
        .filter(|relation| open(relation) && owned(&relation.owner))
        .map(|relation| relation.name.clone())
        .collect();
    (!tables.is_empty()).then(|| Notice::ApplicationOwns { app_role: app.to_string(), tables })
}
