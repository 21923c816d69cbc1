//! What is said of each table that has a section in the file: why it stands there, and what is undecided.

use backfill_engine::{Basis, SourceSuggestion, SourcesBesideKeys};
use tenancy_config::tenancy::{inline_source, is_fixed_policy};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::PolicyReading;
use tenant_inventory::class::{Class, ClassifiedTable};
use tenant_rls::unassigned_policy;

use crate::facts::{Facts, Table};

/// What is said of a table that has a section.
pub(crate) fn of_tenant_table(
    classified: &ClassifiedTable,
    registry: Option<&TableName>,
    facts: &Facts,
    tenancy: &Tenancy,
) -> Vec<String> {
    let Some(table) = facts.table(&classified.table) else { return Vec::new() };
    let mut notes = Vec::new();
    if let Class::Unhandled { why, .. } = &classified.class {
        notes.push(format!("Undecided: {why}."));
    }
    if let (Some(column), Some(registry)) = (classified.class.tenant_column(), registry) {
        let keys: Vec<_> = table.foreign_keys.iter().filter(|key| key.column == column).collect();
        if keys.is_empty() {
            notes.push(format!("{column} has no foreign key to {registry}: by its name it is the tenant column."));
        } else if let Some(key) = keys.iter().find(|key| !key.leads_to(registry)) {
            notes.push(format!("Undecided: {column} references {}, and not {registry}. If it is not the tenant column, say so: exempt = \"why\".", key.target()));
        }
    }
    if let Some(owner) = &classified.stranger {
        notes.push(format!(
            "It belongs to {}, which is not a trusted owner: to trust it, list it under `owners` in [database].",
            owner.owner
        ));
    }
    notes.extend(policies(table, tenancy));
    notes
}

/// The sources beside foreign keys, to be added to those of the section.
pub(crate) fn more_sources(found: &SourcesBesideKeys) -> Vec<String> {
    let mut lines = Vec::new();
    if !found.sources.is_empty() {
        lines.push("Undecided: these may tell the tenant of its rows, too; `backfill suggest` compares them with rows. To add to `sources`:".to_owned());
        lines.extend(found.sources.iter().map(source));
    }
    lines.extend(found.notes.iter().map(|note| format!("Undecided: {note}.")));
    lines
}

fn source(source: &SourceSuggestion) -> String {
    let why = match (source.values_matched, source.values) {
        (Some(matched), Some(values)) => format!("a guess: {matched} of {values} values are keys there"),
        _ if source.basis == Basis::PointedTo => {
            "tenants point at its rows; a row at which several do is a conflict".to_owned()
        }
        _ => "by foreign keys over tables without a tenant column".to_owned(),
    };
    format!("{},   # {why}", inline_source(&source.rule))
}

/// The policies that are not of our form, as a proposal that people must decide on.
pub(crate) fn policies(table: &Table, tenancy: &Tenancy) -> Vec<String> {
    let setting = tenancy.tenant_setting();
    let mut kinds = Vec::new();
    let mut names = Vec::new();
    for policy in &table.policies {
        let readings: Vec<PolicyReading> = policy.expressions.iter().map(|e| PolicyReading::of(e)).collect();
        let ours = |reading: &PolicyReading| reading.comparison().is_some_and(|(_, read)| read.setting.is(&setting));
        // Where somebody altered one of a rollout's, status says so.
        let of_rollout = is_fixed_policy(&policy.name) || policy.name == unassigned_policy(&tenancy.session.policy);
        if of_rollout || policy.name == tenancy.session.policy && readings.iter().all(ours) {
            continue;
        }
        let kind = readings.iter().find(|reading| !ours(reading)).or(readings.first());
        kinds.push(format!("Policy {}: {}.", policy.name, kind.unwrap_or(&PolicyReading::Other)));
        names.push(format!("{} = \"why\"", toml_edit::Key::new(&policy.name)));
    }
    if !names.is_empty() {
        kinds.push(format!("If it is intended: allow_policies = {{ {} }}", names.join(", ")));
    }
    kinds
}
