//! The names of what a rollout makes. A name that something else has is left alone, also where only the first 63 bytes are the same.

use std::collections::BTreeMap;

use tenancy_config::TableName;
use tenant_inventory::{Aspect, AspectKind, Inventory, Relation, RelationKind};

use crate::journal::Recorded;

/// Longest name that PostgreSQL keeps whole, in bytes.
const LONGEST_NAME: usize = 63;

/// `table_column` and a suffix, no longer than PostgreSQL keeps: the longer of the two names is shortened.
fn name_with(table: &str, column: &str, suffix: &str) -> String {
    let (mut table, mut column) = (table.to_owned(), column.to_owned());
    while table.len() + "_".len() + column.len() + suffix.len() > LONGEST_NAME {
        let longer = if table.len() >= column.len() { &mut table } else { &mut column };
        longer.pop();
    }
    format!("{table}_{column}{suffix}")
}

/// The first of the names with these suffixes that is free, else the last one with a number.
fn free_name(relation: &Relation, suffixes: [&str; 2], is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (1..).map(|number| format!("{}{number}", suffixes[1]));
    let (table, column) = (relation.name.name().as_str(), relation.comparison.column.as_str());
    let mut names =
        suffixes.map(str::to_owned).into_iter().chain(numbered).map(|suffix| name_with(table, column, &suffix));
    names.find(|name| is_free(name)).expect("there are numbers without end")
}

/// The first name of these columns with this suffix, or with the suffix and a number, that is free.
pub(crate) fn free_name_of(table: &TableName, columns: &str, suffix: &str, is_free: impl Fn(&str) -> bool) -> String {
    let suffixes = std::iter::once(suffix.to_owned()).chain((1..).map(|number| format!("{suffix}{number}")));
    let mut names = suffixes.map(|suffix| name_with(table.name().as_str(), columns, &suffix));
    names.find(|name| is_free(name)).expect("there are numbers without end")
}

/// The names of the indexes of tables that lack one, as the ORM would give them, or others where the schema has something of that name. An
/// invalid index that a rollout left over does not count: it is replaced.
pub(crate) fn index_names(inventory: &Inventory, recorded: &Recorded) -> BTreeMap<TableName, String> {
    let mut names: BTreeMap<TableName, String> = BTreeMap::new();
    let unindexed = inventory
        .relations
        .iter()
        .filter(|relation| !relation.tenant_index && relation.kind != RelationKind::Partitioned);
    for relation in unindexed {
        let is_free = |name: &str| {
            let planned =
                names.iter().any(|(table, other)| table.schema() == relation.name.schema() && other.as_str() == name);
            !planned && (!relation.taken_names.iter().any(|taken| taken == name) || left_over(recorded, relation, name))
        };
        let name = free_name(relation, ["_idx", "_tenant_idx"], is_free);
        names.insert(relation.name.clone(), name);
    }
    names
}

/// Whether a rollout began to build this index, and was ended before it was valid.
pub(crate) fn left_over(recorded: &Recorded, relation: &Relation, index: &str) -> bool {
    let aspect = Aspect::named(AspectKind::Index, index);
    let invalid = relation.definition.get(&aspect).is_some_and(|text| text.starts_with("INVALID "));
    invalid && recorded.made(&relation.name, &aspect)
}

/// The name of the foreign key to the tenant table that is to be added.
pub(crate) fn foreign_key_name(relation: &Relation) -> String {
    free_name(relation, ["_fkey", "_tenant_fkey"], |name| !relation.constraints.iter().any(|taken| taken == name))
}

/// The name of the check that keeps rows without a tenant out: of the one that a rollout left over, else a free one.
pub(crate) fn check_name(recorded: &Recorded, relation: &Relation) -> String {
    left_over_check(recorded, relation).unwrap_or_else(|| {
        free_name(relation, ["_not_null_check", "_tenant_check"], |name| {
            !relation.constraints.iter().any(|taken| taken == name)
        })
    })
}

/// The check that a rollout added and was ended before it dropped it again.
pub(crate) fn left_over_check(recorded: &Recorded, relation: &Relation) -> Option<String> {
    let ours = format!("CHECK (({} IS NOT NULL))", relation.comparison.printed_column);
    let is_ours = |name: &str, text: &str| {
        let text = text.strip_suffix(" NOT VALID").unwrap_or(text);
        text == ours && recorded.made(&relation.name, &Aspect::named(AspectKind::Constraint, name))
    };
    let mut checks = relation.definition.all(AspectKind::Constraint);
    checks.find(|(name, text)| is_ours(name, text)).map(|(name, _)| name.to_owned())
}
