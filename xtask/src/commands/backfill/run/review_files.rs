//! File names for the reviews of several tables. All are different, also on a file system that ignores case.

use std::path::{Path, PathBuf};

use tenancy_config::{Ident, TableName, Tenancy};

/// `review.csv` for one table; for several, `review.bookings.csv` each, or `review.crm.bookings.csv` for a table of another schema.
pub(super) fn of(review: &Path, tables: &[TableName], tenancy: &Tenancy) -> Vec<PathBuf> {
    if tables.len() == 1 {
        return vec![review.to_owned()];
    }
    let plain: Vec<String> = tables.iter().map(|table| name(table, tenancy, &|c| c)).collect();
    let alike = |name: &String| plain.iter().filter(|other| other.to_lowercase() == name.to_lowercase()).count() > 1;
    let names = tables.iter().zip(&plain).map(|(table, plain)| {
        if alike(plain) { name(table, tenancy, &|c| if c.is_uppercase() { '^' } else { c }) } else { plain.clone() }
    });
    names.map(|name| beside(review, &name)).collect()
}

fn name(table: &TableName, tenancy: &Tenancy, seen: &dyn Fn(char) -> char) -> String {
    let own = escaped(table.name(), seen);
    if table.schema().as_str() == tenancy.database.schema {
        own
    } else {
        format!("{}.{own}", escaped(table.schema(), seen))
    }
}

/// A name without dots, which separate names, and without characters that a file system may refuse. Different names stay
/// different.
fn escaped(name: &Ident, seen: &dyn Fn(char) -> char) -> String {
    let mut out = String::new();
    for c in name.as_str().chars() {
        if seen(c).is_alphanumeric() || matches!(seen(c), '_' | '-') {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            out.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    out
}

fn beside(review: &Path, table: &str) -> PathBuf {
    let stem = review.file_stem().unwrap_or_default().to_string_lossy();
    let ending = review.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    review.with_file_name(format!("{stem}.{table}{ending}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn table(schema: &str, name: &str) -> TableName {
        TableName::new(Ident::new(schema).unwrap(), Ident::new(name).unwrap())
    }

    fn names(tables: &[TableName]) -> Vec<String> {
        let reviews = of(Path::new("out/review.csv"), tables, &Tenancy::default());
        reviews.iter().map(|path| path.strip_prefix("out").unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_of_several_tables_has_a_review_of_its_own() {
        assert_eq!(names(&[table("crm", "bookings")]), ["review.csv"]);
        assert_eq!(
            names(&[table("public", "bookings"), table("crm", "bookings"), table("public", "a/../b")]),
            ["review.bookings.csv", "review.crm.bookings.csv", "review.a%2F%2E%2E%2Fb.csv"]
        );
        assert_eq!(
            names(&[table("public", "Users"), table("public", "users"), table("public", "Other")]),
            ["review.%55sers.csv", "review.users.csv", "review.Other.csv"]
        );
        assert_eq!(
            names(&[table("public", "a.b"), table("a", "b"), table("a.b", "c"), table("a", "b.c")]),
            ["review.a%2Eb.csv", "review.a.b.csv", "review.a%2Eb.c.csv", "review.a.b%2Ec.csv"]
        );
    }

    proptest! {
        #[test]
        fn no_two_reviews_are_one_file(
            tables in prop::collection::btree_set(("(public|a|A|a\\.b)", "[aAbé./%^_]{1,3}"), 2..12),
        ) {
            let tables: Vec<_> = tables.iter().map(|(schema, name)| table(schema, name)).collect();
            let names = names(&tables);
            let files: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(files.len(), tables.len());
            prop_assert!(names.iter().all(|name| !name.contains('/')));
        }
    }
}
