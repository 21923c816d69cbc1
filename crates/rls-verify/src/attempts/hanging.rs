//! Rows for tenants that an attempt makes, on which rows of a table without a tenant column can hang.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::types::Json;
use tenant_inventory::claim::untried::Untried;
use tenant_rls::{ParentComparison, ProbeTx, Template};

use crate::attempts::Attempts;
use crate::attempts::columns::Columns;
use crate::attempts::outcome::unprepared;
use crate::error::Result;

impl Attempts<'_> {
    /// Copies the row on which a row of the tenant `like` hangs, once for each of the tenants that were made, as these. Returns what the column of
    /// a row holds that depends on it, by tenant; else why there is no such row.
    pub(super) async fn make_parents(
        &self,
        tx: &mut ProbeTx,
        parent: &ParentComparison,
        like: &str,
        made: &[String; 2],
    ) -> Result<Result<BTreeMap<String, String>, Untried>> {
        let Some(columns) = self.parent else { return Ok(Err(Untried::NoRows)) };
        if columns.has_triggers && !self.fire_triggers {
            return Ok(Err(Untried::TriggersWouldFire { table: parent.table.to_string() }));
        }
        tx.set(like).await?;
        match copies(tx, parent, columns, self.rows.of_tenant(like), made).await {
            Ok(links) => {
                tx.savepoint().await?;
                Ok(Ok(links))
            }
            Err(NotMade::Server(error)) => {
                tx.rollback_to().await?;
                Ok(Err(unprepared(&error)))
            }
            Err(NotMade::Scope(error)) => Err(error),
        }
    }
}

/// Why no row was made: the server refused one, or the scope could not be set.
enum NotMade {
    Server(sqlx::Error),
    Scope(crate::error::Error),
}

impl From<sqlx::Error> for NotMade {
    fn from(error: sqlx::Error) -> Self {
        Self::Server(error)
    }
}

async fn copies(
    tx: &mut ProbeTx,
    parent: &ParentComparison,
    columns: &Columns,
    key: &str,
    made: &[String; 2],
) -> Result<BTreeMap<String, String>, NotMade> {
    let fetch = Template::new(include_str!("../../../../sql/rls-verify/tenant_pattern.sql"))
        .table("tenants", &parent.table)
        .ident("key", &parent.key.name)
        .build();
    let pattern: Value = sqlx::query_scalar(&fetch).bind(key).fetch_one(tx.connection()).await?;
    let returning = Template::new(r#":"key"::pg_catalog.text"#).ident("key", &parent.key.name).build();
    let insert = columns.insert_copy(&parent.table, Some(returning));
    let mut links = BTreeMap::new();
    // Beside those of the attempts, whose numbers are lower.
    for (number, tenant) in (11..).zip(made) {
        tx.set(tenant).await.map_err(|error| NotMade::Scope(error.into()))?;
        let mut changes = columns.changes(number);
        changes.insert(parent.tenant.name.to_string(), json!(tenant));
        let insert = sqlx::query_scalar(&insert).bind(Json(&pattern)).bind(Json(Value::from(changes)));
        links.insert(tenant.clone(), insert.fetch_one(tx.connection()).await?);
    }
    Ok(links)
}
