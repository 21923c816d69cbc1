//! One transaction, one tenant.

use sqlx::PgConnection;

use crate::connection::database::Database;
use crate::connection::session::SearchPath;
use crate::connection::transaction::{Transaction, current, set_local};
use crate::error::{Error, Result};
use crate::sql::text::Sql;
use crate::tenant_id::TenantId;
use tenancy_config::Tenancy;

/// A transaction in which policies see exactly one tenant. Names resolve as the application's code expects it: statements write every
/// name with its schema, operators as `OPERATOR(pg_catalog.=)`.
pub struct TenantTx {
    guard: Transaction,
    tenant: TenantId,
    variable: String,
}

impl TenantTx {
    /// Opens the scope of `tenant`.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn begin(database: &Database, tenancy: &Tenancy, tenant: &TenantId) -> Result<Self> {
        let mut guard = Transaction::begin(database, Sql::from_static("BEGIN"), SearchPath::Application).await?;
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
