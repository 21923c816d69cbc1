//! What the catalog says, as far as a proposal needs it.

use std::collections::BTreeMap;

use serde::Deserialize;
use sqlx::{PgConnection, Row, types::Json};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{TableFacts, read_all_tables};
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

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Without its length; of a domain, the type under it.
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
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) column: String,
    target: TableName,
}

impl Key {
    pub(crate) fn target(&self) -> String {
        self.target.to_string()
    }

    pub(crate) fn leads_to(&self, table: &TableName) -> bool {
        self.target == *table
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

/// What a proposal needs of a table beside the inventory.
#[derive(Debug, Default)]
struct More {
    /// The only column of the primary key.
    key: Option<String>,
    types: Vec<MoreType>,
    policies: Vec<Policy>,
}

/// The type of a column that is a domain or an enum.
#[derive(Debug, Deserialize)]
struct MoreType {
    column: String,
    /// Of a domain, the type under it.
    base: Option<String>,
    labels: Option<Vec<String>>,
}

impl Table {
    fn of(facts: TableFacts, more: More) -> Self {
        let More { key, mut types, policies } = more;
        let mut column = |facts: tenant_inventory::ColumnFacts| {
            let more = types.iter().position(|one| one.column == facts.name).map(|at| types.swap_remove(at));
            let (base, labels) = more.map(|more| (more.base, more.labels)).unwrap_or_default();
            let printed = base.unwrap_or(facts.type_name);
            Column {
                type_name: printed.split('(').next().unwrap_or_default().trim_end().to_owned(),
                not_null: facts.never_null,
                unique: facts.unique,
                key: key.as_ref() == Some(&facts.name),
                labels,
                name: facts.name,
            }
        };
        let keys = facts.foreign_keys.into_iter().filter_map(|mut key| {
            let column = key.columns.pop().filter(|_| key.columns.is_empty())?;
            Some(Key { column, target: key.target })
        });
        Self {
            columns: facts.columns.into_iter().map(&mut column).collect(),
            foreign_keys: keys.collect(),
            name: facts.name,
            policies,
        }
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The only column of the primary key.
    pub(crate) fn key(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.key)
    }
}

impl Facts {
    /// Reads the tables of the inventory, what else a proposal needs of them, and the roles. Every role may.
    pub(crate) async fn read(database: &Database, tenancy: &Tenancy) -> Result<Self> {
        let all = read_all_tables(database, tenancy).await?;
        let mut tx = CatalogTx::begin(database).await?;
        let rows = sqlx::query(include_str!("../../../sql/tenancy-init/tables.sql"))
            .fetch_all(tx.connection())
            .await
            .map_err(Error::query("reading the tables"))?;
        let mut more = BTreeMap::new();
        for row in &rows {
            let name =
                TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
            let (Json(types), Json(policies)) = (row.get("types"), row.get("policies"));
            more.insert(name, More { key: row.get("key"), types, policies });
        }
        let tables = all.into_iter().filter(|table| table.extension.is_none());
        let tables: Vec<Table> = tables
            .map(|table| {
                let more = more.remove(&table.name).unwrap_or_default();
                Table::of(table, more)
            })
            .collect();
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
