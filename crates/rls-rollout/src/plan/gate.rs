//! What stops a table from going on: the rows that the audit counted, and what the catalog says.

use tenancy_config::TableName;
use tenant_audit::{AuditReport, TableReport};
use tenant_inventory::{AspectKind, Escape, Inventory, Phase, Relation, Unfiltered};

use crate::options::{CrossTenantWaiver, StepStyle};

/// What the gate says of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct GateResult {
    /// Why it stays where it is; none means that it goes on.
    pub(crate) stopped_by: Vec<String>,
    /// What was let through, with the reason given.
    pub(crate) waived: Vec<String>,
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
        verdict.stopped_by.push("the audit did not count it".to_owned());
        return verdict;
    };
    verdict.stopped_by.extend(hidden_rows(counted));
    let crossing = counted.cross_rows();
    if crossing > 0 {
        let what = format!("rows that reference another tenant's row: {crossing}");
        let reason = inventory.tenancy.rules(table).and_then(|rules| rules.cross_tenant_references.as_deref());
        match (reason, waiver.everywhere) {
            (Some(reason), _) => verdict.waived.push(format!("{what}, waived in tenancy.toml: {reason}")),
            (None, true) => verdict.waived.push(format!("{what}, waived by --allow-cross-tenant-references")),
            (None, false) => verdict.stopped_by.push(what),
        }
    }
    verdict
}

fn hidden_rows(counted: &TableReport) -> impl Iterator<Item = String> {
    let kinds = [
        (counted.null_findings(), "without a tenant"),
        (counted.empty_rows, "with the empty string as tenant"),
        (counted.ghost_rows.unwrap_or(0), "of a tenant that does not exist"),
    ];
    kinds.into_iter().filter(|(rows, _)| *rows > 0).map(|(rows, what)| format!("rows {what}: {rows}"))
}

/// What stops a relation from reaching a phase because of the catalog, whatever its rows are.
pub(crate) fn catalog(inventory: &Inventory, relation: &Relation, phase: Phase, style: StepStyle) -> Vec<String> {
    let mut stops: Vec<String> = relation.unsuitable().iter().map(ToString::to_string).collect();
    if phase >= Phase::Prepare && !style.adopt {
        stops.extend(inventory.policies(relation).foreign_policies().iter().map(|policy| {
            format!("the permissive policy \"{policy}\" would let through what ours does not; --adopt replaces it")
        }));
    }
    if phase == Phase::Tighten {
        stops.extend(blind_validation(inventory, relation));
    }
    if phase == Phase::Enforce {
        stops.extend(app_role(inventory));
    }
    stops
}

/// Why the foreign key cannot be validated: a filtered login does not see every row, and lifting FORCE for it would open the table.
fn blind_validation(inventory: &Inventory, relation: &Relation) -> Option<String> {
    let to_validate = !relation.foreign_key_valid && inventory.catalog.tenant_key_type.is_some();
    let (app, facts) = &inventory.logins.app;
    let opens = !facts.exists || inventory.logins.escapes.iter().any(|escape| escape.role == relation.owner);
    (to_validate && relation.filtered && relation.definition.has(AspectKind::Forced) && opens).then(|| {
        format!(
            "its foreign key to the tenants is not proven, this login does not see every row, and lifting FORCE meanwhile would show \
             the application every tenant's rows, as {app} is or may become the owner; run it as a role that is not filtered"
        )
    })
}

/// Why forcing policies on the owner would protect nothing: the application is not filtered at all.
fn app_role(inventory: &Inventory) -> Vec<String> {
    let (app, facts) = &inventory.logins.app;
    if !facts.exists {
        return vec![format!(
            "there is no role {app}, as which the application is said to log in; --app-role names another"
        )];
    }
    let unfiltered = inventory.logins.escapes.iter().filter(|escape| !matches!(escape.why, Unfiltered::OwnerOf { .. }));
    unfiltered
        .map(|Escape { role, why }| {
            if role == app.as_str() {
                format!("the application's role {app} is {why}: no policy filters it")
            } else {
                format!("the application's role {app} can become {role}, which is {why}: no policy filters that")
            }
        })
        .collect()
}
