//! The roles, databases and tables of a local server, from `sql/local-db/schema/`.

use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx::SqlSafeStr;
use tenancy_config::{DatabaseUrl, Ident};
use tenant_rls::{DirectConnection, Error as SqlError, Template};

use crate::error::Result;
use crate::role::Role;
use crate::secret::ClusterSecret;

/// Creates the roles, which belong to the whole server and are created once.
const ROLES: &str = include_str!("../../../sql/local-db/schema/roles.sql");
const PASSWORDS: &str = include_str!("../../../sql/local-db/schema/passwords.sql");

/// The scripts that the owner runs in a database, in order.
const TABLES: [(&str, &str); 5] = [
    ("creating the types", include_str!("../../../sql/local-db/schema/types.sql")),
    ("creating the tables", include_str!("../../../sql/local-db/schema/tables.sql")),
    ("creating the keys", include_str!("../../../sql/local-db/schema/keys.sql")),
    ("creating the indexes", include_str!("../../../sql/local-db/schema/indexes.sql")),
    ("granting rights", include_str!("../../../sql/local-db/schema/grants.sql")),
];

/// Creates the logins and `tenant_maintenance`.
///
/// # Errors
/// [`Error::Sql`](crate::error::Error::Sql): a statement fails.
pub async fn create_roles(superuser: &mut DirectConnection, secret: &ClusterSecret) -> Result<()> {
    superuser.run_script("creating the roles", ROLES).await?;
    set_passwords(superuser, secret).await
}

/// Sets the passwords of all logins, or of none.
pub(crate) async fn set_passwords(superuser: &mut DirectConnection, secret: &ClusterSecret) -> Result<()> {
    for role in [Role::Superuser, Role::Owner, Role::AppUser] {
        // Passed as a setting of the session: the statement takes no parameters, and if the password were in its text,
        // the log could show it.
        sqlx::query("SELECT pg_catalog.set_config('local_db.' OPERATOR(pg_catalog.||) $1, $2, false)")
            .bind(role.name())
            .bind(secret.password(role))
            .execute(superuser.connection())
            .await
            .map_err(SqlError::query("handing over the passwords"))?;
    }
    Ok(superuser.run_script("setting the passwords", PASSWORDS).await?)
}

/// Creates a database that belongs to the owner, as a copy of `template` if one is given.
///
/// # Errors
/// [`Error::Sql`](crate::error::Error::Sql): a statement fails.
pub async fn create_database(superuser: &mut DirectConnection, name: &str, template: Option<&str>) -> Result<()> {
    let sql = Template::new(r#"CREATE DATABASE :"name" OWNER :"owner" TEMPLATE :"template""#)
        .ident("name", &Ident::new(name)?)
        .ident("owner", &Ident::new(Role::Owner.name())?)
        .ident("template", &Ident::new(template.unwrap_or("template0"))?)
        .build();
    run(superuser, &format!("creating the database {name}"), sql).await
}

/// Creates the application's tables, which then belong to the login of `owner`. The roles must exist.
///
/// # Errors
/// [`Error::Sql`](crate::error::Error::Sql): a step fails; the error names it.
pub async fn create_tables(owner: &DatabaseUrl) -> Result<()> {
    let mut session = DirectConnection::as_application(owner, "local-db").await?;
    for (doing, script) in TABLES {
        run(&mut session, doing, script).await?;
    }
    session.close().await;
    Ok(())
}

/// A hash that changes whenever a file of the schema does.
pub fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    (ROLES, TABLES).hash(&mut hasher);
    hasher.finish()
}

async fn run(session: &mut DirectConnection, doing: &str, sql: impl SqlSafeStr) -> Result<()> {
    Ok(session.run_script(doing, sql).await?)
}
