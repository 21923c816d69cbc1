//! What stops a table from going on: the rows that the audit counted, and what the catalog says.

use tenancy_config::TableName;
use tenant_audit::{AuditReport, TableReport};
use tenant_inventory::{AspectKind, Escape, Inventory, Phase, Relation, Unfiltered};

use crate::options::{CrossTenantWaiver, StepStyle};
use crate::plan::replaced::irreplaceable;
use crate::stop::Stop;
use crate::waiver::Waiver;

/// What the gate says of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct GateResult {
    /// Why it stays where it is; none means that it goes on.
    pub(crate) stopped_by: Vec<Stop>,
    /// What was let through, with the reason given.
    pub(crate) waived: Vec<Waiver>,
}

/// What stops a table because of its rows. Rows that a strict policy would hide cannot be waived.
pub(crate) fn data(
    inventory: &Inventory,
    report: &AuditReport,
    table: &TableName,
    waiver: CrossTenantWaiver,
) -> GateResult {
    let mut verdict = GateResult::default();
    let Some(counted) = report.tables.iter().find(|counted| counted.table == *table) else {
        let uncounted = report.uncounted.iter().find(|uncounted| uncounted.table == *table);
        verdict.stopped_by.push(Stop::NotCounted { why: uncounted.map(|uncounted| uncounted.why.clone()) });
        return verdict;
    };
    verdict.stopped_by.extend(hidden_rows(counted));
    // What was not counted may be anything.
    let parts = counted.uncounted_parts.iter().map(|part| Stop::NotCounted { why: Some(part.why.clone()) });
    verdict.stopped_by.extend(parts);
    let rows = counted.cross_rows();
    if rows > 0 {
        let reason = inventory.tenancy.rules(table).and_then(|rules| rules.cross_tenant_references.clone());
        match (reason, waiver.everywhere) {
            (Some(why), _) => verdict.waived.push(Waiver::Declared { rows, why }),
            (None, true) => verdict.waived.push(Waiver::Option { rows }),
            (None, false) => verdict.stopped_by.push(Stop::CrossTenantReferences { rows }),
        }
    }
    verdict
}

fn hidden_rows(counted: &TableReport) -> impl Iterator<Item = Stop> + use<> {
    let (null, empty, ghost) = (counted.null_findings(), counted.empty_rows, counted.ghost_rows.unwrap_or(0));
    let without = (null > 0).then_some(Stop::RowsWithoutTenant { rows: null });
    let empty = (empty > 0).then_some(Stop::EmptyTenant { rows: empty });
    without.into_iter().chain(empty).chain((ghost > 0).then_some(Stop::GhostTenant { rows: ghost }))
}

/// What stops a relation from reaching a phase, or from staying in it, because of the catalog, whatever its rows are.
pub(crate) fn catalog(inventory: &Inventory, relation: &Relation, phase: Phase, style: StepStyle) -> Vec<Stop> {
    if let Some(why) = &relation.unhandled {
        return vec![Stop::Unhandled { why: why.clone() }];
    }
    let mut stops = Vec::new();
    if let Some(parent) = &relation.parent {
        if !parent.unreadable.is_empty() {
            let (table, columns) = (parent.table.clone(), parent.unreadable.clone());
            let role = inventory.logins.app.0.to_string();
            stops.push(Stop::ParentUnreadable { table, columns, role });
        }
        if inventory.others.iter().any(|(name, _)| *name == parent.table) {
            stops.push(Stop::ParentNotAskedFor { table: parent.table.clone() });
        }
    }
    if !style.adopt {
        let others = inventory.other_policies(relation);
        stops.extend(others.map(|(policy, definition)| Stop::OtherPolicy {
            policy: policy.to_owned(),
            definition: definition.to_owned(),
        }));
    }
    stops.extend(irreplaceable(inventory, relation, style.adopt));
    if phase == Phase::Tighten {
        stops.extend(blind_validation(inventory, relation));
    }
    if phase == Phase::Enforce {
        stops.extend(app_role(inventory));
    }
    stops
}

/// What stops a relation from `tighten` on if the table on which its rows hang stays loose. `is_stopped` says so of a relation there.
pub(crate) fn parent(
    inventory: &Inventory,
    relation: &Relation,
    phase: Phase,
    is_stopped: impl Fn(&Relation) -> bool,
) -> Option<Stop> {
    let parent = relation.parent.as_ref().filter(|_| phase > Phase::Prepare)?;
    let loose = inventory.relations.iter().any(|other| {
        let of_parent = inventory.audited_as(other) == parent.table;
        of_parent && is_stopped(other) && inventory.phase(other) < Phase::Tighten
    });
    loose.then(|| Stop::ParentStopped { table: parent.table.clone() })
}

/// Why the foreign key cannot be validated: a filtered login does not see every row, and lifting FORCE for it would open the table.
fn blind_validation(inventory: &Inventory, relation: &Relation) -> Option<Stop> {
    let to_validate = !relation.foreign_key_valid && inventory.catalog.tenant_key_type.is_some();
    let (app, facts) = &inventory.logins.app;
    let opens = !facts.exists || inventory.logins.escapes.iter().any(|escape| escape.role == relation.owner);
    (to_validate && relation.filtered && relation.definition.has(AspectKind::Forced) && opens)
        .then(|| Stop::BlindValidation { app_role: app.to_string() })
}

/// Why forcing policies on the owner would protect nothing: the application is not filtered at all.
fn app_role(inventory: &Inventory) -> Vec<Stop> {
    let (app, facts) = &inventory.logins.app;
    if !facts.exists {
        return vec![Stop::NoAppRole { role: app.to_string() }];
    }
    let unfiltered = inventory.logins.escapes.iter().filter(|escape| !matches!(escape.why, Unfiltered::OwnerOf { .. }));
    unfiltered.map(|Escape { role, why }| Stop::unfiltered(app.as_str(), role, why)).collect()
}
