//! The report of values that are no tenant's key.

use serde::Serialize;
use tenancy_config::TableName;
use tenant_inventory::StrayValues;

/// The values that stand in the place of a tenant's key. The JSON shape is `backfill-map/1`.
#[derive(Debug, Clone, Serialize)]
pub struct MapReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The tables that have such values.
    pub tables: Vec<TableMap>,
    /// The tables that could not be read.
    pub unread: Vec<UnreadTable>,
}

/// The values of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableMap {
    /// The table.
    pub table: TableName,
    /// Its values.
    #[serde(flatten)]
    pub stray: StrayValues,
}

/// A table that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadTable {
    /// The table.
    pub table: TableName,
    /// Why not.
    pub error: String,
}

impl Default for MapReport {
    fn default() -> Self {
        Self { schema: "backfill-map/1", tables: Vec::new(), unread: Vec::new() }
    }
}

impl MapReport {
    /// Whether every table was read, and has no such value.
    pub fn is_clean(&self) -> bool {
        self.tables.is_empty() && self.unread.is_empty()
    }
}
