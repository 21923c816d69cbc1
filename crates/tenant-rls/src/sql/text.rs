//! Text that may be sent to a server: nothing in it comes from outside unquoted.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Text of a statement from a file of this repository, with every name in it quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    text: String,
    runs_application_code: bool,
}

impl Sql {
    /// A statement, or a part of one, that is written in the source code.
    pub fn from_static(text: &'static str) -> Self {
        Self::of(text.to_owned())
    }

    /// Text that a function of the server's catalog printed (`pg_get_expr`, `pg_get_indexdef`, `format('%I')`),
    /// unchanged: the function promises that it is SQL. It must have been printed with an empty `search_path`, so that
    /// every name in it has its schema. Nothing else may be passed to this.
    pub fn from_catalog(text: String) -> Self {
        Self::of(text)
    }

    /// A type that `format_type` printed while the `search_path` had only `pg_catalog`. The result means this type
    /// under any path: `format_type` leaves the schema `pg_catalog` out, so it is added unless the type's name is part
    /// of the grammar.
    pub fn type_from_catalog(printed: &str) -> Self {
        let name = printed.split(['(', '[']).next().unwrap_or(printed).trim_end();
        let in_grammar = GRAMMAR_TYPES.iter().any(|known| name == *known || name.starts_with(&format!("{known} ")));
        if in_grammar || has_schema(name) {
            Self::of(printed.to_owned())
        } else {
            Self::of(format!("pg_catalog.{printed}"))
        }
    }

    /// Joins fragments with `separator`.
    pub fn join(parts: impl IntoIterator<Item = Sql>, separator: &'static str) -> Self {
        Self::of(parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join(separator))
    }

    pub(super) fn of(text: String) -> Self {
        Self { text, runs_application_code: false }
    }

    /// Marks the statement as one of [`crate::OwnerTx`] that makes the server run the application's code, such as
    /// checks and index expressions, which expects the application's search path. Every name in the statement must have
    /// its schema, and it must not contain an operator.
    #[must_use]
    pub fn running_application_code(self) -> Self {
        Self { runs_application_code: true, ..self }
    }

    /// Whether it is marked as running the application's code.
    pub(crate) fn runs_application_code(&self) -> bool {
        self.runs_application_code
    }

    /// The text that is sent to PostgreSQL.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Types whose names are part of the grammar, and so always mean those of `pg_catalog`.
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

/// Whether a printed name has a schema: a dot outside of quotes.
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
