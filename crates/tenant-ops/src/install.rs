//! Creating the schema `tenant_ops`, and bringing an older one up to date.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::PgConnection;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Backoff, Database, Error as RlsError, OwnerTx, Sql, Template, retry_locks};

use crate::error::{Error, Result};
use crate::owner::act;
use crate::trust::layout::{FUNCTIONS, VERSION};
use crate::trust::{lock, rights, verified, verified_behind_lock};

/// What an upgrade gives another name, with the rights that it has: install.sql.
const RENAMED: [(&str, &str); 2] = [("lane", "range"), ("member", "run_process")];

/// How long the statements of an upgrade wait for a table that a batch is writing to.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Creates the schema, or what is missing in it; one that is complete is only examined.
///
/// # Errors
/// [`Error::NotInstalled`] where this role may not create it; [`Error::Untrusted`] where somebody else made or changed it.
pub async fn install(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 8);
    let installed = retry_locks(backoff, async || match attempt(database, tenancy).await {
        Err(Error::Database(error)) => Err(error),
        // No lock was in the way of another error: it is not tried again.
        done => Ok(done),
    });
    match installed.await {
        Ok(done) => done,
        Err(error) if error.sqlstate() == Some("42501") => {
            Err(Error::NotInstalled { role: database.session().role.clone() })
        }
        Err(error) => Err(error.into()),
    }
}

async fn attempt(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    install_in(tx.connection(), tenancy).await?;
    Ok(tx.commit().await?)
}

/// The same inside a transaction that is already open: for a dry run, which takes it back.
///
/// # Errors
/// [`Error::Untrusted`]; [`Error::Database`].
pub async fn install_in(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<()> {
    if verified(connection, tenancy).await?.is_some_and(|there| there.version == Some(VERSION)) {
        return Ok(());
    }
    lock(connection).await?;
    // Asked again behind the lock, as its holder before may have installed it.
    let objects = match verified_behind_lock(connection, tenancy).await? {
        Some(there) if there.version == Some(VERSION) => return Ok(()),
        Some(there) => there.objects,
        None => {
            create_schema(connection, tenancy).await?;
            BTreeSet::new()
        }
    };
    let before = act(connection).await?;
    run(connection, Sql::from_static(include_str!("../../../sql/tenant-ops/install.sql"))).await?;
    for (_, script) in FUNCTIONS {
        run(connection, Sql::from_static(script)).await?;
    }
    let renamed = RENAMED.iter().filter(|(before, _)| objects.contains(*before)).map(|(_, now)| (*now).to_owned());
    let objects = objects.iter().cloned().chain(renamed).collect();
    take_away(connection, tenancy, &objects).await?;
    grant_in(connection, tenancy).await?;
    run(connection, Sql::from_static("DELETE FROM tenant_ops.installed")).await?;
    sqlx::query("INSERT INTO tenant_ops.installed VALUES ($1)")
        .bind(VERSION)
        .execute(&mut *connection)
        .await
        .map_err(RlsError::query("noting the layout of the schema tenant_ops"))?;
    before.again(connection).await?;
    // What it made is examined, too, as an event trigger may have changed it.
    verified_behind_lock(connection, tenancy).await?;
    Ok(())
}

/// Makes the schema. What a superuser makes belongs to the owner of the tables, who could not go on with it otherwise.
async fn create_schema(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<(), RlsError> {
    let tenants = TableName::parse(&tenancy.tenant.table, &tenancy.database.schema)?;
    let owner: String = sqlx::query_scalar(include_str!("../../../sql/tenant-ops/schema_owner.sql"))
        .bind(tenants.schema().as_str())
        .bind(tenants.name().as_str())
        .bind(&tenancy.roles.app)
        .fetch_one(&mut *connection)
        .await
        .map_err(RlsError::query("asking who is to own the schema tenant_ops"))?;
    let create = Template::new(include_str!("../../../sql/tenant-ops/create_schema.sql"));
    run(connection, create.ident("owner", &Ident::new(owner)?).build()).await
}

/// Revokes what default privileges grant on the objects that were just made, and what PUBLIC has on functions: default privileges of a
/// whole database cannot be revoked for one schema. Objects that were there before keep their rights.
async fn take_away(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    objects: &BTreeSet<String>,
) -> Result<(), RlsError> {
    for right in rights(connection, tenancy).await? {
        if right.kind == "FUNCTION" || !objects.contains(&right.object) {
            run(connection, right.taking_away()).await?;
        }
    }
    Ok(())
}

/// Grants the maintenance role its rights on the book-keeping, for a role that was made after [`install`].
///
/// # Errors
/// [`Error::Untrusted`]; [`Error::Database`].
pub async fn grant(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    lock(tx.connection()).await?;
    if verified_behind_lock(tx.connection(), tenancy).await?.is_some() {
        let _ = act(tx.connection()).await?;
        grant_in(tx.connection(), tenancy).await?;
    }
    Ok(tx.commit().await?)
}

/// Grants the maintenance role, if there is one, what it needs.
async fn grant_in(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<(), RlsError> {
    let role = Ident::new(&tenancy.roles.maintenance)?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)")
        .bind(role.as_str())
        .fetch_one(&mut *connection)
        .await
        .map_err(RlsError::query("granting rights on the schema tenant_ops"))?;
    if exists {
        let grant = Template::new(include_str!("../../../sql/tenant-ops/grant.sql")).ident("role", &role).build();
        run(connection, grant).await?;
    }
    Ok(())
}

async fn run(connection: &mut PgConnection, script: Sql) -> Result<(), RlsError> {
    sqlx::Executor::execute(connection, sqlx::raw_sql(script))
        .await
        .map_err(RlsError::query("creating the schema tenant_ops"))?;
    Ok(())
}
