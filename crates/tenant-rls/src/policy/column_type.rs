//! The types that a tenant column may have, and how each is compared and cast. A new type is added here.

use crate::sql::text::Sql;

/// Whether the type that `format_type` prints as `name` holds any text: `text`, `varchar`, `character` and `citext`, and not arrays of them.
pub fn holds_text(name: &str) -> bool {
    let of_extension = name == "citext" || name.ends_with(".citext");
    let fixed = name == "character" || (name.starts_with("character(") && !name.ends_with("[]"));
    name == "text" || is_varchar(name) || fixed || of_extension
}

fn is_varchar(name: &str) -> bool {
    name.starts_with("character varying") && !name.ends_with("[]")
}

/// A type that a tenant column may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantColumnType {
    /// `text`.
    Text,
    /// `character varying`, of any length.
    Varchar,
    /// `uuid`.
    Uuid,
    /// `integer`.
    Integer,
    /// `bigint`.
    Bigint,
}

/// Types of tenant columns that can be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFamily {
    /// Texts.
    Text,
    /// Uuids.
    Uuid,
    /// Whole numbers.
    Integer,
}

impl TenantColumnType {
    /// The type that `format_type` prints as `name`; `None` if we do not support it.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "uuid" => Some(Self::Uuid),
            "integer" => Some(Self::Integer),
            "bigint" => Some(Self::Bigint),
            _ if is_varchar(name) => Some(Self::Varchar),
            _ => None,
        }
    }

    /// The type to which a text parameter is cast; valid under any search path.
    pub fn cast(self) -> &'static str {
        match self {
            Self::Text => "pg_catalog.text",
            Self::Varchar => "pg_catalog.varchar",
            Self::Uuid => "pg_catalog.uuid",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
        }
    }

    /// The family of the type. Types of one family can be compared by index without a cast.
    pub fn family(self) -> KeyFamily {
        match self {
            Self::Text | Self::Varchar => KeyFamily::Text,
            Self::Uuid => KeyFamily::Uuid,
            Self::Integer | Self::Bigint => KeyFamily::Integer,
        }
    }

    /// The cast that makes the session variable, which is text, comparable with the column in a policy or a default;
    /// empty if none is needed.
    pub(crate) fn cast_of_setting(self) -> Sql {
        Sql::from_static(match self {
            Self::Text | Self::Varchar => "",
            Self::Uuid => "::uuid",
            Self::Integer => "::integer",
            Self::Bigint => "::bigint",
        })
    }

    /// The type of that cast, as the catalog prints it.
    pub(crate) fn printed_cast(self) -> Option<&'static str> {
        match self {
            Self::Text | Self::Varchar => None,
            Self::Uuid => Some("uuid"),
            Self::Integer => Some("integer"),
            Self::Bigint => Some("bigint"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_no_text_and_no_type_of_a_tenant_column() {
        for text in ["text", "character varying", "character varying(30)", "character(3)", "citext", "app.citext"] {
            assert!(holds_text(text), "{text}");
        }
        for other in
            ["text[]", "character varying[]", "character varying(30)[]", "character(3)[]", "uuid", "jsonb", "\"char\""]
        {
            assert!(!holds_text(other), "{other}");
        }
        assert_eq!(TenantColumnType::of("character varying(30)"), Some(TenantColumnType::Varchar));
        assert_eq!(TenantColumnType::of("character varying(30)[]"), None);
    }
}
