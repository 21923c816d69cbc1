//! What is said of each table in the file: why it stands there, and what is undecided.

use backfill_engine::short_name;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::PolicyReading;
use tenant_inventory::class::{Class, ClassifiedTable, Suspicion};

use crate::facts::{Facts, Key, Table};

/// The lines for one table that has no section: a proposal, as comments.
pub(crate) fn proposal(table: &ClassifiedTable, called: &str, facts: &Facts, tenancy: &Tenancy) -> Vec<String> {
    let section = format!("[tables.{}]", toml_edit::Key::new(called));
    let why = |then: &str| format!("{called}: {}. Undecided: {then}", table.class);
    match &table.class {
        Class::Suspect { why: Suspicion::KeyToRegistry { columns } } if columns.len() == 1 => {
            vec![
                why("this is its tenant column, or its rows need no tenant."),
                section.clone(),
                format!("column = {}", text(&columns[0])),
                exempt(),
            ]
        }
        Class::Suspect { why: Suspicion::ColumnName { column } } => {
            vec![
                why("this is its tenant column, or its rows need no tenant."),
                section.clone(),
                format!("column = {}", text(column)),
                exempt(),
            ]
        }
        Class::Suspect { .. } => {
            vec![why("add a tenant column, or say why its rows need no tenant."), section, exempt()]
        }
        Class::Dependent { through } => {
            let ways = facts.table(&table.table).map(|table| ways(table, through, facts, tenancy)).unwrap_or_default();
            let then = match ways.is_empty() {
                true => "add a tenant column, or say why its rows need no tenant.",
                false => {
                    "let the rollout add a tenant column, which is best, or protect it through that table, or say why its rows need no tenant."
                }
            };
            [vec![why(then), section], ways, vec![exempt()]].concat()
        }
        Class::Unrelated if facts.table(&table.table).is_some_and(|table| !table.policies.is_empty()) => {
            let policies = facts.table(&table.table).map(|table| policies(table, tenancy)).unwrap_or_default();
            [vec![why("it has policies, so somebody protects it.")], policies].concat()
        }
        _ => Vec::new(),
    }
}

/// The declarations by which the rows of a table can belong to the tenants of the table on which they hang: a line for each foreign key that leads
/// there. Where that table depends on another one itself, only a column helps, there and here; a column that may be NULL has no `through`.
fn ways(table: &Table, through: &[TableName], facts: &Facts, tenancy: &Tenancy) -> Vec<String> {
    let Some(parent) = through.first() else { return Vec::new() };
    let called = short_name(parent, tenancy);
    let key = facts.table(parent).and_then(Table::key).map(|column| column.name.as_str());
    let other_key = key.filter(|key| *key != "id").map(|key| format!(", key = {}", text(key))).unwrap_or_default();
    let mut lines = Vec::new();
    let leading: Vec<&Key> = table.foreign_keys.iter().filter(|key| key.leads_to(parent)).collect();
    for key in &leading {
        let (column, other) = (text(&key.column), text(&called));
        lines.push(format!("add_column = {{ through = {column}, table = {other}{other_key} }}"));
    }
    for key in leading.iter().filter(|_| through.len() == 1) {
        if table.column(&key.column).is_some_and(|column| column.not_null) {
            let (column, other) = (text(&key.column), text(&called));
            lines.push(format!("through = {{ column = {column}, table = {other} }}"));
        }
    }
    lines
}

fn exempt() -> String {
    "exempt = \"why\"".to_owned()
}

/// A string of TOML.
fn text(value: &str) -> String {
    toml_edit::Value::from(value).to_string()
}

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

/// The policies that are not of our form, as a proposal that people must decide on.
fn policies(table: &Table, tenancy: &Tenancy) -> Vec<String> {
    let setting = tenancy.tenant_setting();
    let mut kinds = Vec::new();
    let mut names = Vec::new();
    for policy in &table.policies {
        let readings: Vec<PolicyReading> = policy.expressions.iter().map(|e| PolicyReading::of(e)).collect();
        let ours = |reading: &PolicyReading| reading.comparison().is_some_and(|(_, read)| read.setting.is(&setting));
        if policy.name == tenancy.session.policy && readings.iter().all(ours) {
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
