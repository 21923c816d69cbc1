//! The columns of a table, and how to copy one of its rows so that no key refuses the copy.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::{Ident, TableName};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql, Template, holds_text};

use crate::error::Result;

/// Of how many tables one statement reads the columns, so that it ends within its time limit.
const TABLES_AT_ONCE: usize = 100;

/// The columns of a table that a statement may write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    all: Vec<Column>,
    /// A trigger of somebody's fires on it, or on a partition of it.
    pub(crate) has_triggers: bool,
}

/// One of them.
#[derive(Debug, Clone)]
struct Column {
    name: Ident,
    /// As the server prints it where only `pg_catalog` is in the `search_path`.
    type_name: String,
    /// An INSERT may name it: it is not GENERATED ALWAYS.
    insertable: bool,
    copied: Copied,
}

/// What a copy of a row gets in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// The same.
    Same,
    /// A value that no row has: it is part of a unique key.
    Fresh,
    /// Nothing: it is part of a unique key, and refers to another table, where a fresh value would be refused.
    Nothing,
}

impl Column {
    fn of(row: &PgRow) -> Result<Self> {
        let copied = match row.get::<&str, _>("copied") {
            "fresh" => Copied::Fresh,
            "nothing" => Copied::Nothing,
            _ => Copied::Same,
        };
        let name = Ident::new(row.get::<String, _>("name"))?;
        Ok(Self { name, type_name: row.get("type_name"), insertable: row.get("insertable"), copied })
    }
}

impl Columns {
    /// Reads those of each table; every role may. A table that is not there has none.
    pub(crate) async fn read(database: &Database, tables: &[&TableName]) -> Result<BTreeMap<TableName, Self>> {
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let mut found = BTreeMap::new();
        for part in tables.chunks(TABLES_AT_ONCE) {
            let (schemas, names) = TableName::apart(part.iter().copied());
            let rows = sqlx::query(include_str!("../../../../sql/rls-verify/probe_columns.sql"))
                .bind(schemas)
                .bind(names)
                .fetch_all(tx.connection())
                .await
                .map_err(RlsError::query("reading the columns of the tables"))?;
            let mut each = vec![Self::default(); part.len()];
            for row in rows {
                // The position is that of an array of ours, from 1 on.
                let position = usize::try_from(row.get::<i64, _>("position") - 1).unwrap_or_default();
                let columns = &mut each[position];
                columns.all.push(Column::of(&row)?);
                columns.has_triggers = row.get("has_triggers");
            }
            found.extend(part.iter().map(|table| (*table).clone()).zip(each));
        }
        tx.rollback().await?;
        Ok(found)
    }

    /// The type of a column, as it stands in a statement.
    pub(crate) fn type_of(&self, column: &Ident) -> Option<Sql> {
        let found = self.all.iter().find(|known| known.name == *column);
        found.map(|known| Sql::type_from_catalog(&known.type_name))
    }

    /// The statement that inserts the row $1 with the values of $2 in place of its own; both are JSON objects.
    pub(crate) fn insert_copy(&self, table: &TableName, returning: Option<Sql>) -> Sql {
        let insertable = || self.all.iter().filter(|column| column.insertable).map(|column| &column.name);
        let names = |text: &'static str| {
            Sql::join(insertable().map(|name| Template::new(text).ident("column", name).build()), ", ")
        };
        let returning = returning
            .map_or(Sql::from_static(""), |value| Template::new("RETURNING :value").fragment("value", value).build());
        Template::new(include_str!("../../../../sql/rls-verify/probe_copy.sql"))
            .table("target", table)
            .fragment("columns", names(r#":"column""#))
            .fragment("values", names(r#"given.:"column""#))
            .fragment("returning", returning)
            .build()
    }

    /// The values in which the copy of this number differs from its pattern.
    pub(crate) fn changes(&self, number: u8) -> Map<String, Value> {
        let change = |column: &Column| match column.copied {
            Copied::Same => None,
            Copied::Fresh => fresh(&column.type_name, number),
            Copied::Nothing => Some(Value::Null),
        };
        self.all.iter().filter_map(|column| Some((column.name.to_string(), change(column)?))).collect()
    }
}

/// A value of a type that no row has; none for a type that is not known here.
fn fresh(type_name: &str, number: u8) -> Option<Value> {
    let text = || json!(format!("~attempt {number}"));
    match type_name {
        "uuid" => Some(json!(format!("00000000-0000-4000-8000-0123456789{number:02x}"))),
        "integer" | "smallint" => Some(json!(-32_000 - i32::from(number))),
        "bigint" | "numeric" => Some(json!(-9_000_000_000_000_000_000_i64 - i64::from(number))),
        _ => holds_text(type_name).then(text),
    }
}
