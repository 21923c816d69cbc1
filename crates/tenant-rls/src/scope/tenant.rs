//! The scope of one tenant, for one transaction.

use sqlx::PgConnection;

use crate::connection::database::Database;
use crate::connection::session::SearchPath;
use crate::connection::transaction::{Transaction, current, set_local};
use crate::error::{Error, Result};
use crate::policy::setting::SessionSetting;
use crate::sql::text::Sql;
use crate::tenant_id::TenantId;
use tenancy_config::Tenancy;

/// A transaction in which policies see exactly one tenant. Names resolve to the application's path, so statements must
/// write every name with its schema, and operators as `OPERATOR(pg_catalog.=)`.
pub struct TenantTx {
    transaction: Transaction,
    tenant: TenantId,
    variable: String,
    /// What the session variable has for this tenant.
    value: String,
}

impl TenantTx {
    /// Opens the scope of `tenant`.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(database: &Database, tenancy: &Tenancy, tenant: &TenantId) -> Result<Self> {
        let mut transaction = Transaction::begin(database, Sql::from_static("BEGIN"), SearchPath::Application).await?;
        let setting = SessionSetting::of(tenancy);
        let (variable, value) = (setting.variable().to_owned(), setting.value(tenant.as_str()));
        set_local(transaction.connection(), &variable, &value).await?;
        Ok(Self { transaction, tenant: tenant.clone(), variable, value })
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.transaction.connection()
    }

    /// The tenant of this scope.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Commits what was written.
    ///
    /// # Errors
    /// [`Error::ScopeLeft`]: the session variable no longer has this tenant; nothing is kept then.
    pub async fn commit(mut self) -> Result<()> {
        let found = current(self.transaction.connection(), &self.variable).await?;
        if found != self.value {
            return Err(Error::ScopeLeft { expected: self.value, found });
        }
        self.transaction.commit().await
    }

    /// Rolls everything back.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost; the server then rolls back too.
    pub async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await
    }
}
