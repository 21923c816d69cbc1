//! Tenant columns that a rollout adds to tables whose rows depend on a tenant table, and the keys that prove them.

use std::fmt;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName};
use tenant_rls::{Error, Result};

/// The first version in which a key can set some of its columns to NULL, and leave the tenant.
const SET_NULL_OF_COLUMNS: i32 = 150_000;

/// A tenant column that a rollout adds, or that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedColumn {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: Ident,
    /// Its type, which the key of the tenant table has, as `format_type` prints it.
    pub type_name: String,
    /// It is there.
    pub exists: bool,
    /// The column that points to the row whose tenant a row gets.
    pub link: Ident,
    /// That column may be NULL, and such a row gets no tenant.
    pub link_may_be_null: bool,
    /// The table with that row.
    pub parent: TableName,
    /// The tenant column there.
    pub parent_column: Ident,
    /// The key there.
    pub parent_key: Ident,
    /// Row level security filters this login there.
    pub parent_filtered: bool,
    /// The key that references tenant and row together, so that both stay those of one row; or why there can be none.
    pub key: Result<ParentKey, NoParentKey>,
}

/// The key that references a row together with its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentKey {
    /// Its name, where it is there.
    pub constraint: Option<String>,
    /// It is marked valid.
    pub validated: bool,
    /// The unique index of tenant and key that it rests on, where there is one.
    pub index: Option<String>,
    /// Indexes of the other table that are not valid.
    pub invalid_indexes: Vec<String>,
    /// Names of relations that a new index there cannot have.
    pub taken_names: Vec<String>,
    /// What the key of the one column does if the other row is deleted, which the new key must do too.
    pub on_delete: LinkAction,
}

/// What a key does if the row that it references is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAction {
    /// The deletion fails.
    NoAction,
    /// The deletion fails at once.
    Restrict,
    /// The row is deleted too.
    Cascade,
    /// The column that points there becomes NULL, and the tenant stays.
    SetNull,
    /// The column that points there gets its default, and the tenant stays.
    SetDefault,
}

/// Why no key can reference a row together with its tenant. Then only the audit sees a row whose tenant is another one than its parent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoParentKey {
    /// The table is partitioned: such a key cannot be added without a scan under a lock.
    Partitioned,
    /// The other table is partitioned: a unique index there needs the partition key too.
    ParentPartitioned {
        /// That table.
        table: TableName,
    },
    /// The other table belongs to a role that this login cannot act as.
    ParentOfOther {
        /// That table.
        table: TableName,
        /// Its owner.
        owner: String,
    },
    /// Before 15 such a key would also set the tenant to NULL or its default if the other row is deleted.
    SetNull,
}

/// Adds what the catalog says of the keys.
pub(crate) async fn read_added(connection: &mut PgConnection, columns: Vec<AddedColumn>) -> Result<Vec<AddedColumn>> {
    let mut read = Vec::with_capacity(columns.len());
    for column in columns {
        let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/added_column.sql"))
            .bind(column.table.schema().as_str())
            .bind(column.table.name().as_str())
            .bind(column.column.as_str())
            .bind(column.link.as_str())
            .bind(column.parent.schema().as_str())
            .bind(column.parent.name().as_str())
            .bind(column.parent_column.as_str())
            .bind(column.parent_key.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::query(format!("reading what {} depends on", column.table)))?;
        // It was dropped since.
        let Some(row) = row else { continue };
        let on_delete = match row.get::<Option<String>, _>("on_delete").as_deref() {
            Some("r") => LinkAction::Restrict,
            Some("c") => LinkAction::Cascade,
            Some("n") => LinkAction::SetNull,
            Some("d") => LinkAction::SetDefault,
            _ => LinkAction::NoAction,
        };
        let sets = matches!(on_delete, LinkAction::SetNull | LinkAction::SetDefault);
        let parent = column.parent.clone();
        let index: Option<String> = row.get("index_name");
        let key = if row.get("partitioned") {
            Err(NoParentKey::Partitioned)
        } else if index.is_none() && row.get("parent_partitioned") {
            Err(NoParentKey::ParentPartitioned { table: parent })
        } else if !row.get::<bool, _>("may_alter_parent") {
            Err(NoParentKey::ParentOfOther { table: parent, owner: row.get("parent_owner") })
        } else if sets && row.get::<i32, _>("server_version") < SET_NULL_OF_COLUMNS {
            Err(NoParentKey::SetNull)
        } else {
            Ok(ParentKey {
                constraint: row.get("constraint_name"),
                validated: row.get("validated"),
                index,
                invalid_indexes: row.get("invalid_indexes"),
                taken_names: row.get("taken_names"),
                on_delete,
            })
        };
        let (link_may_be_null, parent_filtered) = (!row.get::<bool, _>("link_not_null"), row.get("parent_filtered"));
        read.push(AddedColumn { link_may_be_null, parent_filtered, key, ..column });
    }
    Ok(read)
}

impl fmt::Display for NoParentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partitioned => f.write_str("it is partitioned and such a key would be proven under a lock"),
            Self::ParentPartitioned { table } => {
                write!(f, "{table} is partitioned and a unique index there needs the partition key")
            }
            Self::ParentOfOther { table, owner } => write!(f, "{table} belongs to {owner}"),
            Self::SetNull => f.write_str(
                "before PostgreSQL 15 such a key would also take the tenant of a row where the row that it points to is deleted",
            ),
        }
    }
}
