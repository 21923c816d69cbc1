//! The columns of a table, and how to copy one of its rows so that no key refuses the copy.

use serde_json::{Map, Value, json};
use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql, Template, holds_text};

use crate::error::Result;

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

impl Columns {
    /// Reads them; every role may.
    pub(crate) async fn read(database: &Database, table: &TableName) -> Result<Self> {
        let doing = || RlsError::query(format!("reading the columns of {table}"));
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let rows = sqlx::query(include_str!("../../../../sql/rls-verify/probe_columns.sql"))
            .bind(table.schema().as_str())
            .bind(table.name().as_str())
            .fetch_all(tx.connection())
            .await
            .map_err(doing())?;
        tx.rollback().await?;
        let mut columns = Self::default();
        for row in rows {
            let copied = match row.get::<&str, _>("copied") {
                "fresh" => Copied::Fresh,
                "nothing" => Copied::Nothing,
                _ => Copied::Same,
            };
            let name = Ident::new(row.get::<String, _>("name"))?;
            columns.all.push(Column {
                name,
                type_name: row.get("type_name"),
                insertable: row.get("insertable"),
                copied,
            });
            columns.has_triggers = row.get("has_triggers");
        }
        Ok(columns)
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
