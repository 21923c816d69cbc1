//! Sources that foreign keys suggest, and their names.

use std::collections::BTreeSet;

use tenancy_config::tenancy::SourceRule;
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Catalog, ForeignKey, KeyFacts, TenantTable};

/// The sources by foreign keys that point to other tenant tables. A key of several columns is one if the tenant columns and one other pair make it:
/// then a row without a tenant still has the other value, which the server does not check. A row to which one tenant at most points is that tenant's.
pub fn sources_from_keys(table: &TenantTable, catalog: &Catalog, tenancy: &Tenancy) -> Vec<SourceRule> {
    let source = |key: &ForeignKey| {
        let target = catalog.table(&key.target().ok()?).ok()?;
        let pairs = key.columns.iter().zip(&key.references);
        let other = |(here, there): &(&String, &String)| **here != table.column.name || **there != target.column.name;
        let [(column, references)] = pairs.filter(other).collect::<Vec<_>>()[..] else { return None };
        (target.name != table.name && *column != table.column.name).then(|| SourceRule {
            key: references.clone(),
            // The referenced column is unique, as a foreign key requires. A source of one row must use the primary key,
            // though.
            all: target.key != [references.as_str()],
            ..SourceRule::new(&words(column), column, &short_name(&target.name, tenancy))
        })
    };
    let mut sources: Vec<SourceRule> = table.foreign_keys.iter().filter_map(source).collect();
    sources.extend(tenants_pointing_here(table, catalog, tenancy).into_iter().filter(|source| !source.all));
    // Two constraints on one column give the same source, and names of sources are unique in the file.
    let mut seen = BTreeSet::new();
    sources.retain(|source| seen.insert(source.name.clone()));
    sources
}

/// The sources by tenants that point at a row of a table, such as at their settings: of all of them, where several may point at one.
pub(super) fn tenants_pointing_here(table: &TenantTable, catalog: &Catalog, tenancy: &Tenancy) -> Vec<SourceRule> {
    let source = |key: &KeyFacts| {
        let ([column], [references]) = (key.columns.as_slice(), key.references.as_slice()) else { return None };
        let unique = catalog.column(&catalog.tenants, column).is_some_and(|known| known.unique);
        let registry = short_name(&catalog.tenants, tenancy);
        (key.target == table.name && *references != table.column.name).then(|| SourceRule {
            key: column.clone(),
            all: !unique,
            ..SourceRule::new(&words(catalog.tenants.name().as_str()), references, &registry)
        })
    };
    catalog.registry_keys.iter().filter_map(source).collect()
}

/// The name of the table in the file: without its schema if that is the default one.
pub fn short_name(table: &TableName, tenancy: &Tenancy) -> String {
    let plain = table.schema().as_str() == tenancy.database.schema && !table.name().as_str().contains('.');
    if plain { table.name().to_string() } else { table.to_string() }
}

/// `serviceRequestId` and `service_request_id` are both `service request`.
pub(super) fn words(column: &str) -> String {
    let stem = column
        .strip_suffix("Id")
        .or_else(|| column.strip_suffix("_id"))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(column);
    let mut out = String::new();
    for c in stem.chars() {
        match c {
            '_' => out.push(' '),
            c if c.is_uppercase() && !out.is_empty() => out.extend([' '].into_iter().chain(c.to_lowercase())),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_words() {
        let cases = [
            ("serviceRequestId", "service request"),
            ("service_request_id", "service request"),
            ("owner", "owner"),
            ("Id", "id"),
        ];
        for (column, expected) in cases {
            assert_eq!(words(column), expected);
        }
    }
}
