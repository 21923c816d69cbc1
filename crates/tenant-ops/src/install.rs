//! Creating the schema `tenant_ops`.

use std::time::Duration;

use sqlx::PgConnection;
use tenant_rls::{Backoff, Database, Error as RlsError, Ident, OwnerTx, Template, Tenancy, retry_locks};

use crate::{Error, Result};

/// Counts up with every change of the files in `sql/ops/`.
const VERSION: i32 = 7;

/// Creates what is missing, once; a database that has it is only asked.
///
/// # Errors
/// [`Error::NotInstalled`] where this role may not create it.
pub async fn install(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 6);
    let installed = retry_locks(backoff, async || {
        let mut tx = OwnerTx::begin(database, Duration::from_secs(2)).await?;
        install_in(tx.connection(), tenancy).await?;
        tx.commit().await
    })
    .await;
    installed.map_err(|error| match error.sqlstate() {
        Some("42501") => Error::NotInstalled { role: database.session().role.clone() },
        _ => error.into(),
    })
}

/// The same inside a transaction that is already open: for a dry run, which takes it back.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn install_in(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<(), RlsError> {
    let doing = || RlsError::query("creating the schema tenant_ops");
    if installed_version(connection).await? == Some(VERSION) {
        return Ok(());
    }
    // Two operators at once: the second waits here, then finds it done.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('tenant_ops'))")
        .execute(&mut *connection)
        .await
        .map_err(doing())?;
    for script in [
        include_str!("../../../sql/ops/install.sql"),
        include_str!("../../../sql/ops/undo_batch.sql"),
        include_str!("../../../sql/ops/apply_batch.sql"),
    ] {
        sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(script)).await.map_err(doing())?;
    }
    grant_in(connection, tenancy).await?;
    sqlx::query("DELETE FROM tenant_ops.installed").execute(&mut *connection).await.map_err(doing())?;
    sqlx::query("INSERT INTO tenant_ops.installed VALUES ($1)")
        .bind(VERSION)
        .execute(connection)
        .await
        .map_err(doing())?;
    Ok(())
}

/// Gives the maintenance role its rights on the book-keeping: for a role that came after [`install`].
///
/// # Errors
/// [`Error::Database`].
pub async fn grant(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(2)).await?;
    grant_in(tx.connection(), tenancy).await?;
    Ok(tx.commit().await?)
}

/// Gives the maintenance role, if there is one, what it needs.
async fn grant_in(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<(), RlsError> {
    let doing = || RlsError::query("granting rights on the schema tenant_ops");
    let role = Ident::new(&tenancy.roles.maintenance)?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role.as_str())
        .fetch_one(&mut *connection)
        .await
        .map_err(doing())?;
    if exists {
        let grant = Template::new(include_str!("../../../sql/ops/grant.sql")).ident("role", &role).build();
        sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(grant)).await.map_err(doing())?;
    }
    Ok(())
}

async fn installed_version(connection: &mut PgConnection) -> Result<Option<i32>, RlsError> {
    let doing = || RlsError::query("looking for the schema tenant_ops");
    let there: bool = sqlx::query_scalar("SELECT to_regclass('tenant_ops.installed') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(doing())?;
    if !there {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT version FROM tenant_ops.installed").fetch_optional(connection).await.map_err(doing())
}
