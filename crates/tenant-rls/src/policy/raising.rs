//! Finds the policy that made a statement fail. The server says what went wrong, and not where.

use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, TableName};

use crate::connection::database::Database;
use crate::error::{Error, Result};
use crate::scope::catalog::CatalogTx;
use crate::server_error::Fault;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// A policy that ends in an error instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisingPolicy {
    /// Its table.
    pub table: TableName,
    /// Its name.
    pub policy: String,
}

struct Policy {
    of: RaisingPolicy,
    statement: Sql,
}

/// The policy of one of these tables that fails by itself with this SQLSTATE, if there is one.
///
/// # Errors
/// [`Error::Connect`] or [`Error::Query`]: the catalog cannot be read.
pub async fn raising_policy(
    database: &Database,
    tables: &[&TableName],
    sqlstate: &str,
) -> Result<Option<RaisingPolicy>> {
    let mut policies = Vec::new();
    let mut tx = CatalogTx::begin(database).await?;
    for table in tables {
        policies.extend(read(tx.connection(), table).await?);
    }
    tx.rollback().await?;
    for policy in policies {
        // An error ends its transaction.
        let mut tx = CatalogTx::begin(database).await?;
        let tried = sqlx::query(&policy.statement).persistent(false).fetch_one(tx.connection()).await;
        let failed = tried.map_err(Error::query("trying a policy")).err();
        tx.rollback().await?;
        if failed.is_some_and(|error| error.sqlstate() == Some(sqlstate)) {
            return Ok(Some(policy.of));
        }
    }
    Ok(None)
}

/// The error with the name of the policy, where a policy of the table fails in the same way by itself.
pub(crate) async fn with_policy(database: &Database, table: &TableName, error: Error) -> Error {
    let Error::Query { source, .. } = &error else { return error };
    let Some(sqlstate) = source.sqlstate().filter(|_| matches!(source.fault(), Fault::Data | Fault::Other)) else {
        return error;
    };
    // The error that is known stands, whatever becomes of the search for a better one.
    match (raising_policy(database, &[table], sqlstate).await, error) {
        (Ok(Some(RaisingPolicy { table, policy })), Error::Query { source, .. }) => {
            Error::PolicyFails { table: Box::new(table), policy, source }
        }
        (_, error) => error,
    }
}

async fn read(connection: &mut PgConnection, table: &TableName) -> Result<Vec<Policy>> {
    let rows = sqlx::query(include_str!("../../../../sql/tenant-rls/reading_policies.sql"))
        .bind(table.schema().as_str())
        .bind(table.name().as_str())
        .fetch_all(connection)
        .await
        .map_err(Error::query(format!("reading the policies of {table}")))?;
    let policy = |row: &sqlx::postgres::PgRow| {
        let Json(columns): Json<Vec<(String, String)>> = row.get("columns");
        let null = |(name, kind): &(String, String)| {
            let null = Template::new("NULL:::kind AS :\"name\"").fragment("kind", Sql::type_from_catalog(kind));
            Ok(null.ident("name", &Ident::new(name)?).build())
        };
        let nulls = columns.iter().map(null).collect::<Result<Vec<_>>>()?;
        let statement = Template::new(include_str!("../../../../sql/tenant-rls/try_policy.sql"))
            .fragment("condition", Sql::from_catalog(row.get("condition")))
            .fragment("nulls", Sql::join(nulls, ", "))
            .ident("relation", &Ident::new(row.get::<String, _>("relation"))?)
            .build();
        Ok(Policy { of: RaisingPolicy { table: table.clone(), policy: row.get("name") }, statement })
    };
    rows.iter().map(policy).collect()
}
