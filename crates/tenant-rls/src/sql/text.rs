//! Text that a server may be sent: none of it comes from outside unquoted.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Text of a statement that came from a file of this repository, with every name in it quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    text: String,
    runs_application_code: bool,
}

impl Sql {
    /// A statement, or a part of one, that stands in the source.
    pub fn from_static(text: &'static str) -> Self {
        Self::of(text.to_owned())
    }

    /// What a function of the server's catalog printed (`pg_get_expr`, `pg_get_indexdef`, `format('%I')`), as it is: such text
    /// is SQL by that function's promise. It must have been printed with an empty `search_path`, so that every name in it
    /// carries its schema. Nothing else may come this way.
    pub fn from_catalog(text: String) -> Self {
        Self::of(text)
    }

    /// A type as `format_type` printed it where only `pg_catalog` was in the `search_path`, so that it is that type under any path: types of
    /// `pg_catalog` are printed without it, but for those that the grammar knows.
    pub fn type_from_catalog(printed: &str) -> Self {
        let name = printed.split(['(', '[']).next().unwrap_or(printed).trim_end();
        let in_grammar = GRAMMAR_TYPES.iter().any(|known| name == *known || name.starts_with(&format!("{known} ")));
        if in_grammar || has_schema(name) {
            Self::of(printed.to_owned())
        } else {
            Self::of(format!("pg_catalog.{printed}"))
        }
    }

    /// Several fragments with `separator` between them.
    pub fn join(parts: impl IntoIterator<Item = Sql>, separator: &'static str) -> Self {
        Self::of(parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join(separator))
    }

    pub(super) fn of(text: String) -> Self {
        Self { text, runs_application_code: false }
    }

    /// The same as a statement of [`crate::OwnerTx`] that has the server run code of the application - checks, index expressions - which
    /// expects its search path. Every name in the statement must have its schema, and it must hold no operator.
    #[must_use]
    pub fn running_application_code(self) -> Self {
        Self { runs_application_code: true, ..self }
    }

    /// Whether it was marked so.
    pub(crate) fn runs_application_code(&self) -> bool {
        self.runs_application_code
    }

    /// The text, as PostgreSQL gets it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Types whose names are part of the grammar and mean those of `pg_catalog` alone.
const GRAMMAR_TYPES: [&str; 12] = [
    "bigint",
    "bit",
    "boolean",
    "character",
    "double precision",
    "integer",
    "interval",
    "numeric",
    "real",
    "smallint",
    "time",
    "timestamp",
];

/// Whether a printed name has a schema before it: a dot outside of quotes.
fn has_schema(name: &str) -> bool {
    name.split('"').step_by(2).any(|unquoted| unquoted.contains('.'))
}

impl SqlSafeStr for Sql {
    fn into_sql_str(self) -> SqlStr {
        AssertSqlSafe(self.text).into_sql_str()
    }
}

impl SqlSafeStr for &Sql {
    fn into_sql_str(self) -> SqlStr {
        AssertSqlSafe(self.text.clone()).into_sql_str()
    }
}

#[cfg(test)]
mod tests {
    use super::Sql;

    #[test]
    fn a_type_of_pg_catalog_is_that_type_under_any_path() {
        for (printed, written) in [
            ("uuid", "pg_catalog.uuid"),
            ("text[]", "pg_catalog.text[]"),
            ("\"char\"", "pg_catalog.\"char\""),
            ("character varying(30)", "character varying(30)"),
            ("timestamp(3) without time zone", "timestamp(3) without time zone"),
            ("timestamp without time zone", "timestamp without time zone"),
            ("ext.citext", "ext.citext"),
            ("public.\"a.b\"", "public.\"a.b\""),
            ("timestamps", "pg_catalog.timestamps"),
        ] {
            assert_eq!(Sql::type_from_catalog(printed).as_str(), written);
        }
    }
}
