//! What the tenant table of `tenancy.toml` is in this database, and what follows where it is no table.

use std::fmt;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::TableName;
use tenant_rls::{Error, Result};

/// What the tenant table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RegistryState {
    /// A table with the key that `tenancy.toml` names. Foreign keys can reference it.
    Table {
        /// ENABLE ROW LEVEL SECURITY.
        row_security: bool,
    },
    /// A table without that key.
    WithoutKey,
    /// A view or a materialized view. No foreign key can reference it.
    View,
    /// A table on another server. No foreign key can reference it.
    Foreign,
    /// It is not in this database.
    Missing,
}

impl RegistryState {
    /// Whether foreign keys can prove that the tenants of rows exist.
    pub fn can_be_referenced(self) -> bool {
        matches!(self, Self::Table { .. })
    }

    /// Reads it.
    pub(crate) async fn read(connection: &mut PgConnection, tenants: &TableName, has_key: bool) -> Result<Self> {
        let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/registry_state.sql"))
            .bind(tenants.schema().as_str())
            .bind(tenants.name().as_str())
            .fetch_optional(connection)
            .await
            .map_err(Error::query(format!("looking for {tenants}")))?;
        let Some(row) = row else { return Ok(Self::Missing) };
        Ok(match row.get::<String, _>("relkind").as_str() {
            "v" | "m" => Self::View,
            "f" => Self::Foreign,
            _ if has_key => Self::Table { row_security: row.get("row_security") },
            _ => Self::WithoutKey,
        })
    }
}

impl fmt::Display for RegistryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = match self {
            Self::Table { .. } => return f.write_str("the tenant table is a table"),
            Self::WithoutKey => "has no such key",
            Self::View => "is a view",
            Self::Foreign => "is on another server",
            Self::Missing => "is not in this database",
        };
        write!(
            f,
            "the tenant table {is}: no foreign key can reference it, so nothing proves that the tenants of rows exist"
        )
    }
}
