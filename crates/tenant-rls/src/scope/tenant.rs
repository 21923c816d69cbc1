//! One transaction, one tenant.

use sqlx::PgConnection;

use super::guard::Guard;
use crate::session::SearchPath;
use crate::{Database, Error, Result, Sql, Tenancy, TenantId};

/// A transaction in which policies see exactly one tenant. Names resolve as the application's code expects it: statements write every
/// name with its schema, operators as `OPERATOR(pg_catalog.=)`.
pub struct TenantTx {
    guard: Guard,
    tenant: TenantId,
    variable: String,
}

impl TenantTx {
    /// Opens the scope of `tenant`.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn begin(database: &Database, tenancy: &Tenancy, tenant: &TenantId) -> Result<Self> {
        let mut guard = Guard::begin(database, Sql::from_static("BEGIN"), SearchPath::Application).await?;
        let variable = tenancy.session.variable.clone();
        set_local(guard.connection(), &variable, tenant.as_str()).await?;
        Ok(Self { guard, tenant: tenant.clone(), variable })
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.guard.connection()
    }

    /// Whose scope this is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Keeps what was written.
    ///
    /// # Errors
    /// [`Error::ScopeLeft`] where the session variable no longer holds this tenant; nothing is kept then.
    pub async fn commit(mut self) -> Result<()> {
        let found = current(self.guard.connection(), &self.variable).await?;
        if found != self.tenant.as_str() {
            return Err(Error::ScopeLeft { expected: self.tenant.to_string(), found });
        }
        self.guard.commit().await
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// [`Error::Query`] where the connection is lost; it is rolled back then as well.
    pub async fn rollback(self) -> Result<()> {
        self.guard.rollback().await
    }
}

/// Sets a session variable until the transaction ends; the value is a bind parameter.
pub(super) async fn set_local(connection: &mut PgConnection, variable: &str, value: &str) -> Result<()> {
    sqlx::query("SELECT pg_catalog.set_config($1, $2, true)")
        .bind(variable)
        .bind(value)
        .execute(connection)
        .await
        .map_err(Error::query(format!("setting {variable} for this transaction")))?;
    Ok(())
}

/// What the session variable holds; empty where it was never set.
pub(super) async fn current(connection: &mut PgConnection, variable: &str) -> Result<String> {
    let value: Option<String> = sqlx::query_scalar("SELECT pg_catalog.current_setting($1, true)")
        .bind(variable)
        .fetch_one(connection)
        .await
        .map_err(Error::query(format!("reading {variable}")))?;
    Ok(value.unwrap_or_default())
}
