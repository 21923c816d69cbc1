//! The roles, databases and tables of a local server, from `sql/local-db/schema/`.

use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx::SqlSafeStr;
use tenancy_config::{DatabaseUrl, Ident};
use tenant_rls::{DirectConnection, Error as SqlError, Template};

use crate::error::Result;
use crate::role::Role;
use crate::secret::Secret;

/// Roles are the server's, made once.
const ROLES: &str = include_str!("../../../sql/local-db/schema/roles.sql");
const PASSWORDS: &str = include_str!("../../../sql/local-db/schema/passwords.sql");

/// What the owner makes in a database, in order.
const TABLES: [(&str, &str); 5] = [
    ("creating the types", include_str!("../../../sql/local-db/schema/types.sql")),
    ("creating the tables", include_str!("../../../sql/local-db/schema/tables.sql")),
    ("creating the keys", include_str!("../../../sql/local-db/schema/keys.sql")),
    ("creating the indexes", include_str!("../../../sql/local-db/schema/indexes.sql")),
    ("granting rights", include_str!("../../../sql/local-db/schema/grants.sql")),
];

/// Makes the logins and `tenant_maintenance`.
///
/// # Errors
/// [`Error::Sql`](crate::error::Error::Sql).
pub async fn create_roles(superuser: &mut DirectConnection, secret: &Secret) -> Result<()> {
    superuser.run_script("creating the roles", ROLES).await?;
    set_passwords(superuser, secret).await
}

/// Gives every login its password, all of them or none.
pub(crate) async fn set_passwords(superuser: &mut DirectConnection, secret: &Secret) -> Result<()> {
    for role in [Role::Superuser, Role::Owner, Role::AppUser] {
        // As a setting of the session: a statement of this kind takes no parameters, and in its text the log could show it.
        sqlx::query("SELECT pg_catalog.set_config('local_db.' OPERATOR(pg_catalog.||) $1, $2, false)")
            .bind(role.name())
            .bind(secret.password(role))
            .execute(superuser.connection())
            .await
            .map_err(SqlError::query("handing over the passwords"))?;
    }
    Ok(superuser.run_script("setting the passwords", PASSWORDS).await?)
}

/// Makes a database that belongs to the owner, as a copy of `template` where one is given.
///
/// # Errors
/// [`Error::Sql`](crate::error::Error::Sql).
pub async fn create_database(superuser: &mut DirectConnection, name: &str, template: Option<&str>) -> Result<()> {
    let sql = Template::new(r#"CREATE DATABASE :"name" OWNER :"owner" TEMPLATE :"template""#)
        .ident("name", &Ident::new(name)?)
        .ident("owner", &Ident::new(Role::Owner.name())?)
        .ident("template", &Ident::new(template.unwrap_or("template0"))?)
        .build();
    run(superuser, &format!("creating the database {name}"), sql).await
}

/// Makes the application's tables, which then belong to the login of `owner`. The roles must be there.
///
/// # Errors
/// [`Error::Sql`](crate::error::Error::Sql) with the step that failed.
pub async fn create_tables(owner: &DatabaseUrl) -> Result<()> {
    let mut session = DirectConnection::as_application(owner, "local-db").await?;
    for (doing, script) in TABLES {
        run(&mut session, doing, script).await?;
    }
    session.close().await;
    Ok(())
}

/// Changes whenever a file of the schema does.
pub fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    (ROLES, TABLES).hash(&mut hasher);
    hasher.finish()
}

async fn run(session: &mut DirectConnection, doing: &str, sql: impl SqlSafeStr) -> Result<()> {
    Ok(session.run_script(doing, sql).await?)
}
