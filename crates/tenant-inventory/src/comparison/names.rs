//! The names of what is no table.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_rls::{CatalogTx, Database, Error, Result};

/// What the database has besides tables and columns.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) schemas: BTreeSet<String>,
    pub(super) roles: BTreeSet<String>,
    pub(super) views: BTreeSet<TableName>,
    pub(super) triggers: BTreeMap<TableName, BTreeSet<String>>,
    /// Rules ON UPDATE.
    pub(super) rules: BTreeMap<TableName, BTreeSet<String>>,
    /// What a review can be of, apart from tables and views: functions by their signature, rules as `table.rule`.
    pub(super) reviewable: BTreeSet<String>,
    /// The conditions of each policy, as the server prints them.
    pub(super) policies: BTreeMap<TableName, BTreeMap<String, String>>,
}

impl Names {
    /// Reads them. Any role may.
    pub(super) async fn read(database: &Database) -> Result<Self> {
        let mut tx = CatalogTx::begin(database).await?;
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/names.sql"))
            .fetch_all(tx.connection())
            .await
            .map_err(Error::query("reading the names of roles, functions, triggers, rules and policies"))?;
        tx.rollback().await?;
        let mut names = Self::default();
        for row in &rows {
            names.add(row)?;
        }
        Ok(names)
    }

    fn add(&mut self, row: &sqlx::postgres::PgRow) -> Result<()> {
        let name: String = row.get("name");
        let table = |name: String| {
            Ok::<_, Error>(TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(name)?))
        };
        match row.get("kind") {
            "schema" => drop(self.schemas.insert(name)),
            "role" => drop(self.roles.insert(name)),
            "view" => drop(self.views.insert(table(name)?)),
            "function" => drop(self.reviewable.insert(name)),
            "any_rule" => drop(self.reviewable.insert(format!("{}.{name}", table(row.get("relation"))?))),
            "trigger" => drop(self.triggers.entry(table(row.get("relation"))?).or_default().insert(name)),
            "rule" => drop(self.rules.entry(table(row.get("relation"))?).or_default().insert(name)),
            _ => {
                let policies = self.policies.entry(table(row.get("relation"))?).or_default();
                policies.insert(name, row.get("condition"));
            }
        }
        Ok(())
    }
}
