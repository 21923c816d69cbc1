//! Columns that hold keys of several tables, which no foreign key can say.

use std::collections::BTreeSet;

/// Pairs of columns such as `entityType` and `entityId`, by their names: first the kind, then the key.
pub fn polymorphic_pairs<'a>(columns: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let names: BTreeSet<&str> = columns.into_iter().collect();
    let pair = |name: &&str| {
        [("Type", "Id"), ("_type", "_id")].into_iter().find_map(|(kind, id)| {
            let other = format!("{}{id}", name.strip_suffix(kind).filter(|stem| !stem.is_empty())?);
            names.contains(other.as_str()).then(|| ((*name).to_owned(), other))
        })
    };
    names.iter().filter_map(pair).collect()
}
