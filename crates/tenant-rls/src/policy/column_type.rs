//! The types that a tenant column may have, and how each is compared and cast. A new type is added here.

use crate::sql::text::Sql;

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

impl TenantColumnType {
    /// The type that `format_type` prints as `name`; `None` if we do not support it.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "uuid" => Some(Self::Uuid),
            "integer" => Some(Self::Integer),
            "bigint" => Some(Self::Bigint),
            _ if name.starts_with("character varying") => Some(Self::Varchar),
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
    pub fn family(self) -> &'static str {
        match self {
            Self::Text | Self::Varchar => "text",
            Self::Uuid => "uuid",
            Self::Integer | Self::Bigint => "integer",
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
