//! Finds the policy that made a count fail. The server names what went wrong, and not where.

use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName};
use tenant_rls::{CatalogTx, Database, Result, Sql, Template};

use crate::table_count::TableCount;
use crate::uncounted::Uncounted;

struct Policy {
    table: TableName,
    name: String,
    statement: Sql,
}

/// The reason with the name of the policy, where a policy of a table that the count reads fails in the same way by itself.
pub(crate) async fn named(database: &Database, count: &TableCount, why: Uncounted) -> Uncounted {
    let Uncounted::Refused { sqlstate: Some(sqlstate), error } = &why else { return why };
    // The reason that is known stands, whatever becomes of the search for a better one.
    match find(database, count, sqlstate).await {
        Ok(Some(policy)) => Uncounted::PolicyFails {
            of: policy.table,
            policy: policy.name,
            sqlstate: sqlstate.clone(),
            error: error.clone(),
        },
        Ok(None) | Err(_) => why,
    }
}

async fn find(database: &Database, count: &TableCount, sqlstate: &str) -> Result<Option<Policy>> {
    let mut policies = Vec::new();
    let mut tx = CatalogTx::begin(database).await?;
    for need in &count.access {
        policies.extend(read(tx.connection(), &need.table).await?);
    }
    tx.rollback().await?;
    for policy in policies {
        // An error ends its transaction.
        let mut tx = CatalogTx::begin(database).await?;
        let tried = sqlx::query(&policy.statement).persistent(false).fetch_one(tx.connection()).await;
        let failed = tried.map_err(tenant_rls::Error::query("trying a policy")).err();
        tx.rollback().await?;
        if failed.is_some_and(|error| error.sqlstate() == Some(sqlstate)) {
            return Ok(Some(policy));
        }
    }
    Ok(None)
}

async fn read(connection: &mut PgConnection, table: &TableName) -> Result<Vec<Policy>> {
    let rows = sqlx::query(include_str!("../../../sql/tenant-audit/policies.sql"))
        .bind(table.schema().as_str())
        .bind(table.name().as_str())
        .fetch_all(connection)
        .await
        .map_err(tenant_rls::Error::query(format!("reading the policies of {table}")))?;
    let policy = |row: &sqlx::postgres::PgRow| {
        let Json(columns): Json<Vec<(String, String)>> = row.get("columns");
        let null = |(name, kind): &(String, String)| {
            let null = Template::new("NULL:::kind AS :\"name\"").fragment("kind", Sql::type_from_catalog(kind));
            Ok(null.ident("name", &Ident::new(name)?).build())
        };
        let nulls = columns.iter().map(null).collect::<Result<Vec<_>>>()?;
        let statement = Template::new(include_str!("../../../sql/tenant-audit/try_policy.sql"))
            .fragment("condition", Sql::from_catalog(row.get("condition")))
            .fragment("nulls", Sql::join(nulls, ", "))
            .ident("relation", &Ident::new(row.get::<String, _>("relation"))?)
            .build();
        Ok(Policy { table: table.clone(), name: row.get("name"), statement })
    };
    rows.iter().map(policy).collect()
}
