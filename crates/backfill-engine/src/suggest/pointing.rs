//! Sources by other tables: one that points at this one, and memberships of the users that this one points to.

use tenancy_config::tenancy::SourceRule;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, ForeignKey, TenantTable};

use crate::suggest::keys::{short_name, tenants_pointing_here, words};
use crate::suggest::report::Basis;

/// The sources by rows of other tenant tables, and by tenants, that point at a row of this one: of all of them, as there may be several.
pub(super) fn pointing_here(table: &TenantTable, catalog: &Catalog, tenancy: &Tenancy) -> Vec<(SourceRule, Basis)> {
    let [key] = table.key.as_slice() else { return Vec::new() };
    let others = catalog.tables.iter().filter(|other| other.name != table.name && other.unhandled.is_none());
    let rule = |other: &TenantTable, column: &str| SourceRule {
        key: column.to_owned(),
        all: true,
        ..SourceRule::new(&words(other.name.name().as_str()), key, &short_name(&other.name, tenancy))
    };
    let of_other = |other: &TenantTable| {
        let columns = other.foreign_keys.iter().filter_map(|here| points_to(here, &table.name, key, other));
        columns.map(|column| (rule(other, &column), Basis::PointedTo)).collect::<Vec<_>>()
    };
    let tenants = tenants_pointing_here(table, catalog, tenancy).into_iter().filter(|source| source.all);
    others.flat_map(of_other).chain(tenants.map(|source| (source, Basis::PointedTo))).collect()
}

/// The memberships of the users that a source of this table points to.
pub(super) fn memberships(
    table: &TenantTable,
    sources: &[SourceRule],
    catalog: &Catalog,
    tenancy: &Tenancy,
) -> Vec<(SourceRule, Basis)> {
    let mut found = Vec::new();
    let members =
        |other: &&TenantTable| other.name != table.name && other.name.name().as_str().to_lowercase().contains("member");
    for source in sources.iter().filter(|source| !source.all && source.through.is_empty()) {
        let Ok(users) = TableName::parse(&source.table, &tenancy.database.schema) else { continue };
        for other in catalog.tables.iter().filter(members) {
            let keys = other.foreign_keys.iter().filter_map(|key| points_to(key, &users, &source.key, other));
            found.extend(keys.map(|column| {
                let rule = SourceRule {
                    key: column,
                    all: true,
                    when: source.when.clone(),
                    ..SourceRule::new("membership", &source.column, &short_name(&other.name, tenancy))
                };
                (rule, Basis::Membership)
            }));
        }
    }
    found
}

/// The column of `other` that its foreign key compares with `key` of `table`. A second pair may compare the tenants.
fn points_to(here: &ForeignKey, table: &TableName, key: &str, other: &TenantTable) -> Option<String> {
    if here.target().ok()? != *table {
        return None;
    }
    let pairs = here.columns.iter().zip(&here.references);
    let mut own: Vec<_> = pairs.filter(|(column, _)| **column != other.column.name).collect();
    let (column, references) = own.pop()?;
    (own.is_empty() && references == key).then(|| column.clone())
}
