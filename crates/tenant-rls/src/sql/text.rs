//! Text that may be sent to a server: nothing in it comes from outside unquoted.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Text of a statement from a file of this repository, with every name in it quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    text: String,
    runs_application_code: bool,
    printed_elsewhere: bool,
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
        let printed_elsewhere = !is_plain(&text);
        Self { printed_elsewhere, ..Self::of(text) }
    }

    /// A type that `format_type` printed while the `search_path` had only `pg_catalog`. The result means this type
    /// under any path: `format_type` leaves the schema `pg_catalog` out, so it is added unless the type's name is part
    /// of the grammar.
    pub fn type_from_catalog(printed: &str) -> Self {
        let name = printed.split(['(', '[']).next().unwrap_or(printed).trim_end();
        let in_grammar = GRAMMAR_TYPES.iter().any(|known| name == *known || name.starts_with(&format!("{known} ")));
        if in_grammar || has_schema(name) {
            Self::from_catalog(printed.to_owned())
        } else {
            Self::from_catalog(format!("pg_catalog.{printed}"))
        }
    }

    /// Joins fragments with `separator`.
    pub fn join(parts: impl IntoIterator<Item = Sql>, separator: &'static str) -> Self {
        let parts: Vec<Self> = parts.into_iter().collect();
        let printed_elsewhere = parts.iter().any(|part| part.printed_elsewhere);
        let text = parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join(separator);
        Self { printed_elsewhere, ..Self::of(text) }
    }

    pub(super) fn of(text: String) -> Self {
        Self { text, runs_application_code: false, printed_elsewhere: false }
    }

    /// Marks the text as holding what [`Sql::from_catalog`] does not vouch for, if it does.
    pub(super) fn with_printed(self, printed_elsewhere: bool) -> Self {
        Self { printed_elsewhere: self.printed_elsewhere || printed_elsewhere, ..self }
    }

    /// Whether a part of the text was printed by the server, and could hold more than it should: such a statement is sent so that the
    /// server accepts no second one in it.
    pub(crate) fn is_printed_elsewhere(&self) -> bool {
        self.printed_elsewhere
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

/// Whether a text can neither end a statement nor begin a string or a comment.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_ .,()[]\"".contains(&byte))
}

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
    use crate::sql::template::Template;

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

    #[test]
    fn what_the_server_printed_stays_marked_in_whatever_it_becomes_a_part_of() {
        let template = |part| Template::new("SELECT :part").fragment("part", part).build();
        let expression = Sql::from_catalog("'a'; DROP TABLE t".to_owned());
        assert!(template(expression.clone()).is_printed_elsewhere());
        assert!(Sql::join([Sql::from_static("SELECT 1"), expression.clone()], "; ").is_printed_elsewhere());
        assert!(template(template(expression).running_application_code()).is_printed_elsewhere());
        for plain in [Sql::from_static("'x'; SELECT 2"), Sql::type_from_catalog("character varying(30)")] {
            assert!(!template(plain).is_printed_elsewhere());
        }
        assert!(template(Sql::type_from_catalog("public.\"a;b\"")).is_printed_elsewhere());
    }
}
