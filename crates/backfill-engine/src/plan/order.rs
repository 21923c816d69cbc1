//! The order of tables: a table follows those from which its rows take their tenant.

use std::collections::BTreeSet;

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;

use crate::plan::source::all_absent;

/// The tables that have a source whose tables are in this database, parents before children. In a cycle, the first by name goes first.
pub fn order(catalog: &Catalog, tenancy: &Tenancy) -> Vec<TableName> {
    let schema = &tenancy.database.schema;
    let parents = |table: &TableName| -> BTreeSet<TableName> {
        let sources = tenancy.rules(table).map(|rules| rules.sources.as_slice()).unwrap_or_default();
        let named = sources.iter().filter_map(|source| TableName::parse(&source.table, schema).ok());
        named.filter(|parent| parent != table && catalog.table(parent).is_ok()).collect()
    };
    let has_source = |table: &&TableName| {
        let rules = tenancy.rules(table).filter(|rules| !rules.sources.is_empty());
        // A name that is no identifier is told where the table is run.
        rules.is_some_and(|rules| !matches!(all_absent(catalog, tenancy, rules), Ok(Some(_))))
    };
    let mut left: BTreeSet<TableName> =
        catalog.tables.iter().map(|table| &table.name).filter(has_source).cloned().collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left.iter().find(|table| parents(table).is_disjoint(&left));
        let next = free.or(left.first()).cloned().expect("something is left");
        left.remove(&next);
        ordered.push(next);
    }
    ordered
}
