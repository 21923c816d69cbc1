//! What the catalog says, as far as a proposal needs it.

use serde::Deserialize;
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName};
use tenant_rls::{CatalogTx, Database, Error};

use crate::error::Result;

#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) tables: Vec<Table>,
    pub(crate) roles: Vec<Role>,
}

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<Column>,
    pub(crate) foreign_keys: Vec<Key>,
    pub(crate) policies: Vec<Policy>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Of a domain, the type under it.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) not_null: bool,
    pub(crate) unique: bool,
    /// The primary key is this column alone.
    pub(crate) key: bool,
    /// The labels of an enum, in its order.
    pub(crate) labels: Option<Vec<String>>,
}

impl Column {
    pub(crate) fn holds_text(&self) -> bool {
        tenant_rls::holds_text(&self.type_name)
    }
}

/// A foreign key of one column.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Key {
    pub(crate) column: String,
    schema: String,
    table: String,
}

impl Key {
    pub(crate) fn target(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    pub(crate) fn leads_to(&self, table: &TableName) -> bool {
        self.schema == table.schema().as_str() && self.table == table.name().as_str()
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// USING and WITH CHECK, as the server prints them.
    pub(crate) expressions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) may_log_in: bool,
    /// A superuser, or with BYPASSRLS.
    pub(crate) unfiltered: bool,
    pub(crate) owns: bool,
    /// Tables whose rows it may change.
    pub(crate) changes: usize,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The only column of the primary key.
    pub(crate) fn key(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.key)
    }
}

impl Facts {
    /// Reads the tables. Every role may. The roles are not read.
    pub(crate) async fn read(database: &Database) -> Result<Self> {
        let mut tx = CatalogTx::begin(database).await?;
        let rows = sqlx::query(include_str!("../../../sql/tenancy-init/tables.sql"))
            .fetch_all(tx.connection())
            .await
            .map_err(Error::query("reading the tables"))?;
        let tables = rows.iter().map(|row| {
            let (Json(columns), Json(foreign_keys), Json(policies)) =
                (row.get("columns"), row.get("foreign_keys"), row.get("policies"));
            let name =
                TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
            Ok(Table { name, columns, foreign_keys, policies })
        });
        let tables: Vec<Table> = tables.collect::<Result<_>>()?;
        let roles = roles(tx.connection(), &tables).await?;
        tx.rollback().await?;
        Ok(Self { tables, roles })
    }

    pub(crate) fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }
}

async fn roles(connection: &mut PgConnection, tables: &[Table]) -> Result<Vec<Role>> {
    let (schemas, names) = TableName::apart(tables.iter().map(|table| &table.name));
    let rows = sqlx::query(include_str!("../../../sql/tenancy-init/roles.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(connection)
        .await
        .map_err(Error::query("reading the roles"))?;
    let role = |row: &sqlx::postgres::PgRow| Role {
        name: row.get("name"),
        may_log_in: row.get("may_log_in"),
        unfiltered: row.get("unfiltered"),
        owns: row.get("owns"),
        changes: usize::try_from(row.get::<i64, _>("changes")).unwrap_or_default(),
    };
    Ok(rows.iter().map(role).collect())
}
