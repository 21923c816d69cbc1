//! How a value is compared with a column of another type: so that an index of that column serves, and no value makes the statement fail.

use tenant_rls::{Sql, Template, holds_text};

/// What is made of a value before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cast {
    /// The types are compared as they are.
    None,
    /// Its text.
    Text,
    /// The uuid that the text is; NULL where it is none.
    Uuid,
    /// The number that the text is; NULL where it is none.
    Integer,
}

/// Types that are compared with each other as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Any text.
    Text,
    /// `uuid`.
    Uuid,
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Number,
    /// Days and points in time.
    Time,
    /// Anything else, which is compared with its own type.
    Other,
}

impl Family {
    /// The family of a type, as `format_type` prints it without a length.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "name" => Self::Text,
            _ if holds_text(name) => Self::Text,
            "uuid" => Self::Uuid,
            "smallint" | "integer" | "bigint" => Self::Integer,
            "numeric" | "real" | "double precision" => Self::Number,
            "date" | "timestamp without time zone" | "timestamp with time zone" => Self::Time,
            _ => Self::Other,
        }
    }
}

impl Cast {
    /// The cast of a value of one type that is compared with a column of another; none where they cannot be compared.
    pub(crate) fn between(value: &str, column: &str) -> Option<Self> {
        use Family::{Integer, Number, Other, Text, Uuid};
        match (Family::of(value), Family::of(column)) {
            _ if value == column => Some(Self::None),
            (Text, Text) | (Integer | Number, Integer | Number) | (Family::Time, Family::Time) => Some(Self::None),
            (Uuid | Integer, Text) => Some(Self::Text),
            // An enum, whose labels are texts.
            (Other, Text) if !value.ends_with("[]") => Some(Self::Text),
            (Text, Uuid) => Some(Self::Uuid),
            (Text, Integer) => Some(Self::Integer),
            _ => None,
        }
    }

    /// The value as it is compared.
    pub(crate) fn of(self, value: Sql) -> Sql {
        let text = match self {
            Self::None => return value,
            Self::Text => ":value::pg_catalog.text",
            Self::Uuid => include_str!("../../../../sql/backfill-engine/fragments/as_uuid.sql"),
            Self::Integer => include_str!("../../../../sql/backfill-engine/fragments/as_integer.sql"),
        };
        Template::new(text).fragment("value", value).build()
    }
}

#[cfg(test)]
mod tests {
    use super::Cast;

    #[test]
    fn a_value_is_cast_to_what_it_is_compared_with_and_what_cannot_be_compared_has_no_cast() {
        for (value, column, cast) in [
            ("text", "character varying", Some(Cast::None)),
            ("smallint", "bigint", Some(Cast::None)),
            ("numeric", "bigint", Some(Cast::None)),
            ("jsonb", "jsonb", Some(Cast::None)),
            ("uuid", "text", Some(Cast::Text)),
            ("bigint", "character varying", Some(Cast::Text)),
            ("mood", "text", Some(Cast::Text)),
            ("character varying", "uuid", Some(Cast::Uuid)),
            ("citext", "uuid", Some(Cast::Uuid)),
            ("text", "smallint", Some(Cast::Integer)),
            ("uuid", "bigint", None),
            ("bigint", "uuid", None),
            ("text[]", "text", None),
            ("text", "mood", None),
            ("text", "numeric", None),
        ] {
            assert_eq!(Cast::between(value, column), cast, "{value} {column}");
        }
    }
}
