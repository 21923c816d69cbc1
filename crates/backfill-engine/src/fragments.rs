//! Small pieces of SQL, of which larger ones are put together.

use tenant_rls::{Sql, Template};

/// Several of one kind, with commas between them.
pub(crate) fn list(parts: &[Sql]) -> Sql {
    Sql::join(parts.iter().cloned(), ", ")
}

/// Several of one kind at `:list`, with commas between them.
pub(crate) fn call(text: &'static str, items: impl Iterator<Item = Sql>) -> Sql {
    Template::new(text).fragment("list", Sql::join(items, ", ")).build()
}

/// Small numbers as SQL.
pub(crate) fn number(n: usize) -> Sql {
    Template::new(":'n'::int").literal("n", &n.to_string()).build()
}
