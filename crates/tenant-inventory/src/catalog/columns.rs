//! The columns of one table as an insert needs them, and what fills those that nobody gives.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::{CatalogTx, Database, Error, GeneratedValue, Result, holds_text};

/// Columns that the application's ORM keeps and the database does not.
const TIMES: [&str; 4] = ["createdAt", "updatedAt", "created_at", "updated_at"];

/// A column that an insert may fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type, as `format_type` prints it.
    pub type_name: String,
    /// Marked NOT NULL.
    pub not_null: bool,
    /// It has a default, or is an identity.
    pub has_default: bool,
    /// It is the whole primary key.
    pub is_key: bool,
    /// A unique key of this column alone can decide a conflict.
    pub is_unique: bool,
    /// A valid, complete index leads with it.
    pub is_indexed: bool,
    /// The login may insert into it.
    pub may_insert: bool,
}

impl Column {
    /// The columns of a table, in their order; none where there is no such table.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn all(database: &Database, table: &TableName) -> Result<Vec<Self>> {
        let mut tx = CatalogTx::begin(database).await?;
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/columns.sql"))
            .bind(table.schema().as_str())
            .bind(table.name().as_str())
            .fetch_all(tx.connection())
            .await
            .map_err(Error::query(format!("reading the columns of {table}")))?;
        tx.rollback().await?;
        let column = |row: &sqlx::postgres::PgRow| {
            Ok(Self {
                name: Ident::new(row.get::<String, _>("name"))?,
                type_name: row.get("type_name"),
                not_null: row.get("not_null"),
                has_default: row.get("has_default"),
                is_key: row.get("is_key"),
                is_unique: row.get("is_unique"),
                is_indexed: row.get("is_indexed"),
                may_insert: row.get("may_insert"),
            })
        };
        rows.iter().map(column).collect()
    }

    /// What fills this column where nobody gives a value: a key that has no default of its own, and the times that the
    /// ORM keeps. They are filled although they may have a default, as that is in the time zone of the session.
    pub fn generated(&self) -> Option<GeneratedValue> {
        let type_name = self.type_name.as_str();
        if TIMES.contains(&self.name.as_str()) && type_name.starts_with("timestamp") {
            return Some(if type_name.ends_with(" with time zone") {
                GeneratedValue::Now
            } else {
                GeneratedValue::NowUtc
            });
        }
        match type_name {
            "uuid" if self.is_key && !self.has_default => Some(GeneratedValue::Uuid),
            _ if self.is_key && !self.has_default && holds_text(type_name) => Some(GeneratedValue::Cuid),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(name: &str, type_name: &str, is_key: bool, has_default: bool) -> Option<GeneratedValue> {
        let name = Ident::new(name).unwrap();
        let type_name = type_name.into();
        Column {
            name,
            type_name,
            not_null: true,
            has_default,
            is_key,
            is_unique: is_key,
            is_indexed: is_key,
            may_insert: true,
        }
        .generated()
    }

    #[test]
    fn a_key_without_a_default_and_the_times_of_the_orm_are_filled() {
        let utc = "timestamp(3) without time zone";
        for (name, type_name, is_key, has_default, filled) in [
            ("id", "text", true, false, Some(GeneratedValue::Cuid)),
            ("id", "character varying(30)", true, false, Some(GeneratedValue::Cuid)),
            ("id", "uuid", true, false, Some(GeneratedValue::Uuid)),
            ("id", "uuid", true, true, None),
            ("id", "bigint", true, true, None),
            ("name", "text", false, false, None),
            ("createdAt", utc, false, true, Some(GeneratedValue::NowUtc)),
            ("updated_at", "timestamp(3) with time zone", false, false, Some(GeneratedValue::Now)),
            ("updatedAt", "text", false, false, None),
            ("birthday", utc, false, false, None),
        ] {
            assert_eq!(generated(name, type_name, is_key, has_default), filled, "{name} {type_name}");
        }
    }
}
