//! Creating the schema `tenant_ops`, and bringing an older one up to date.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::PgConnection;
use tenancy_config::{Ident, Tenancy};
use tenant_rls::{Backoff, Database, Error as RlsError, Fault, OwnerTx, Sql, Template, fault_of};

use crate::owner::act;
use crate::trust::layout::FUNCTIONS;
use crate::trust::{look, rights, verified};
use crate::{Error, Result};

/// Counts up with every change of the definitions in `sql/ops/`.
pub(crate) const VERSION: i32 = 8;

/// What an upgrade gives another name, with the rights that it has: install.sql.
const RENAMED: [(&str, &str); 2] = [("lane", "range"), ("member", "run_process")];

/// How long the statements of an upgrade wait for a table that a batch is writing to.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Creates what is missing, once; a database that has it is only examined.
///
/// # Errors
/// [`Error::NotInstalled`] where this role may not create it; [`Error::Untrusted`] where somebody else made or changed it.
pub async fn install(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 8);
    loop {
        let error = match attempt(database, tenancy).await {
            Err(Error::Database(error)) => error,
            done => return done,
        };
        match backoff.next_wait().filter(|_| fault_of(&error) == Fault::Contention) {
            Some(wait) => tokio::time::sleep(wait).await,
            None if error.sqlstate() == Some("42501") => {
                return Err(Error::NotInstalled { role: database.session().role.clone() });
            }
            None => return Err(error.into()),
        }
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
    // Again behind the lock: whoever had it before has installed it.
    let objects = match look(connection, tenancy).await? {
        Some(there) if there.version == Some(VERSION) => return Ok(()),
        Some(there) => there.objects,
        None => {
            run(connection, Sql::from_static(include_str!("../../../sql/ops/create_schema.sql"))).await?;
            BTreeSet::new()
        }
    };
    let before = act(connection).await?;
    run(connection, Sql::from_static(include_str!("../../../sql/ops/install.sql"))).await?;
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
    // What it made is examined as what it finds is: an event trigger may have had a hand in it.
    look(connection, tenancy).await?;
    Ok(())
}

/// Waits for whoever installs or upgrades it, and keeps others from doing so until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection) -> Result<(), RlsError> {
    sqlx::Executor::execute(connection, sqlx::raw_sql(include_str!("../../../sql/ops/lock_layout.sql")))
        .await
        .map_err(RlsError::query("waiting for whoever installs the schema tenant_ops"))?;
    Ok(())
}

/// Takes away what default privileges gave of the objects that were just made, all but those that were there, and of functions what
/// everybody has: for whole databases they cannot be taken back within a schema.
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

/// Gives the maintenance role its rights on the book-keeping: for a role that came after [`install`].
///
/// # Errors
/// [`Error::Untrusted`]; [`Error::Database`].
pub async fn grant(database: &Database, tenancy: &Tenancy) -> Result<()> {
    let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
    lock(tx.connection()).await?;
    if look(tx.connection(), tenancy).await?.is_some() {
        let _ = act(tx.connection()).await?;
        grant_in(tx.connection(), tenancy).await?;
    }
    Ok(tx.commit().await?)
}

/// Gives the maintenance role, if there is one, what it needs.
async fn grant_in(connection: &mut PgConnection, tenancy: &Tenancy) -> Result<(), RlsError> {
    let role = Ident::new(&tenancy.roles.maintenance)?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)")
        .bind(role.as_str())
        .fetch_one(&mut *connection)
        .await
        .map_err(RlsError::query("granting rights on the schema tenant_ops"))?;
    if exists {
        let grant = Template::new(include_str!("../../../sql/ops/grant.sql")).ident("role", &role).build();
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
