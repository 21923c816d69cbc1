//! Small pieces of SQL from which statements are composed.

use tenant_rls::{Sql, Template};

/// Joins pieces with commas.
pub(crate) fn list(parts: &[Sql]) -> Sql {
    Sql::join(parts.iter().cloned(), ", ")
}

/// The same; `NULL` where there is none, as a list in SQL cannot be empty.
pub(crate) fn list_or_null(parts: &[Sql]) -> Sql {
    if parts.is_empty() { Sql::from_static("NULL::pg_catalog.text") } else { list(parts) }
}

/// Puts pieces, joined with commas, in the place of `:list`.
pub(crate) fn call(text: &'static str, items: impl Iterator<Item = Sql>) -> Sql {
    Template::new(text).fragment("list", Sql::join(items, ", ")).build()
}

/// A number as an `int` in SQL.
pub(crate) fn number(n: usize) -> Sql {
    Template::new(":'n'::int").literal("n", &n.to_string()).build()
}

/// An array of texts.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Sql {
    let literal = |text: &'a str| Template::new(":'text'").literal("text", text).build();
    call("ARRAY[:list]::pg_catalog.text[]", texts.into_iter().map(literal))
}
