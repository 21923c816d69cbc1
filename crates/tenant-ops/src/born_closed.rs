//! The event trigger that closes new tables. Its function stands in the schema `tenant_ops`, and belongs to whoever made the event trigger: that is a
//! superuser or a role which its host lets make one, and nobody else may replace what runs in every session.

use sqlx::PgConnection;
use tenancy_config::Tenancy;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql, Template};

use crate::error::Result;
use crate::trust::{readable, rights, verified};

/// The function, as the catalog names it.
const FUNCTION: &str = "born_closed()";

/// The statements that make the function and the event trigger, in place of ones that are there. `rules` says what a tenant column is.
pub fn born_closed_statements(rules: &str) -> Vec<Sql> {
    vec![
        Sql::from_static("DROP EVENT TRIGGER IF EXISTS tenant_born_closed"),
        Sql::from_static(include_str!("../../../sql/tenant-ops/born_closed.sql")),
        Template::new("COMMENT ON FUNCTION tenant_ops.born_closed() IS :'rules'").literal("rules", rules).build(),
        Sql::from_static("REVOKE ALL ON FUNCTION tenant_ops.born_closed() FROM PUBLIC"),
        Sql::from_static(include_str!("../../../sql/tenant-ops/create_born_closed.sql")),
    ]
}

/// Makes the function and the event trigger, in place of ones that are there, as the role that this login acts as.
///
/// # Errors
/// [`crate::Error::Database`] where the server refuses it, which it does to everybody but superusers and roles that hosts make for that;
/// [`crate::Error::Untrusted`] where what was made is not what it should be.
pub async fn make_born_closed(connection: &mut PgConnection, tenancy: &Tenancy, rules: &str) -> Result<()> {
    for statement in born_closed_statements(rules) {
        run(connection, statement).await?;
    }
    // Default privileges may have given others rights on it.
    for right in rights(connection, tenancy).await?.into_iter().filter(|right| right.object == FUNCTION) {
        run(connection, right.taking_away()).await?;
    }
    verified(connection, tenancy).await?;
    Ok(())
}

/// Proves that the function and whatever else stands beside it are what we made: somebody may have given others rights on it since.
///
/// # Errors
/// [`crate::Error::Untrusted`] where they are not; [`crate::Error::Database`].
pub async fn verify_born_closed(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let there = readable(tx.connection(), tenancy).await;
    tx.rollback().await?;
    there.map(|_| ())
}

/// Switches it off, as somebody had done before it was made again.
///
/// # Errors
/// [`crate::Error::Database`] where this login may not.
pub async fn disable_born_closed(connection: &mut PgConnection) -> Result<()> {
    run(connection, Sql::from_static("ALTER EVENT TRIGGER tenant_born_closed DISABLE")).await
}

/// Drops both.
///
/// # Errors
/// [`crate::Error::Database`] where this login may not.
pub async fn drop_born_closed(connection: &mut PgConnection) -> Result<()> {
    run(connection, Sql::from_static("DROP EVENT TRIGGER IF EXISTS tenant_born_closed")).await?;
    run(connection, Sql::from_static("DROP FUNCTION IF EXISTS tenant_ops.born_closed()")).await
}

async fn run(connection: &mut PgConnection, statement: Sql) -> Result<()> {
    sqlx::query(statement)
        .persistent(false)
        .execute(connection)
        .await
        .map_err(RlsError::query("making the event trigger that closes new tables"))?;
    Ok(())
}
