//! Small pieces of SQL from which statements are composed.

use tenant_rls::{Sql, Template};

/// Joins pieces with commas.
pub(crate) fn list(parts: &[Sql]) -> Sql {
    Sql::join(parts.iter().cloned(), ", ")
}

/// Puts pieces, joined with commas, in the place of `:list`.
pub(crate) fn call(text: &'static str, items: impl Iterator<Item = Sql>) -> Sql {
    Template::new(text).fragment("list", Sql::join(items, ", ")).build()
}

/// A number as an `int` in SQL.
pub(crate) fn number(n: usize) -> Sql {
    Template::new(":'n'::int").literal("n", &n.to_string()).build()
}
