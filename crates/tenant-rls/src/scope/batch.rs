//! The short write transaction of a backfill. It lends tenant scopes one after the other.

use std::time::Duration;

use sqlx::PgConnection;

use crate::access::ActingRole;
use crate::connection::database::Database;
use crate::connection::database::milliseconds;
use crate::connection::session::SearchPath;
use crate::connection::transaction::Transaction;
use crate::connection::transaction::{current, set_local, set_role};
use crate::error::{Error, Result};
use crate::policy::setting::SessionSetting;
use crate::sql::text::Sql;
use crate::tenant_id::TenantId;
use tenancy_config::Tenancy;

/// The limits of one batch.
#[derive(Debug, Clone)]
pub struct BatchOptions {
    /// How long a statement waits for a lock before it fails.
    pub lock_timeout: Duration,
    /// How long a statement may run before it fails.
    pub statement_timeout: Duration,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(2), statement_timeout: Duration::from_secs(60) }
    }
}

/// One short write transaction, as the role that the backfill acts as.
pub struct BatchTx {
    transaction: Transaction,
    setting: SessionSetting,
}

impl BatchTx {
    /// Opens a batch. It sets `synchronous_commit` off: data, journal and checkpoint commit together, so a crash of the
    /// server can only lose the last batches as a whole, and a resumed run does them again.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(database: &Database, tenancy: &Tenancy, options: &BatchOptions) -> Result<Self> {
        let mut transaction = Transaction::begin(database, Sql::from_static("BEGIN"), SearchPath::Pinned).await?;
        sqlx::query(include_str!("../../../../sql/tenant-rls/begin_batch.sql"))
            .bind(milliseconds(options.lock_timeout))
            .bind(milliseconds(options.statement_timeout))
            .bind(&tenancy.session.variable)
            .bind(database.application_path())
            .execute(transaction.connection())
            .await
            .map_err(Error::query("opening a batch"))?;
        Ok(Self { transaction, setting: SessionSetting::of(tenancy) })
    }

    /// Acts as `role` until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Query`]: this login may not act as that role.
    pub async fn assume(&mut self, role: &ActingRole) -> Result<()> {
        set_role(self.transaction.connection(), role).await
    }

    /// Lends the scope of one tenant. The borrow prevents a second scope beside it.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails.
    pub async fn tenant(&mut self, tenant: &TenantId) -> Result<TenantScope<'_>> {
        self.transaction.follow(SearchPath::Application).await?;
        let value = self.setting.value(tenant.as_str());
        set_local(self.transaction.connection(), self.setting.variable(), &value).await?;
        Ok(TenantScope { batch: self, tenant: tenant.clone() })
    }

    /// The transaction outside of every tenant's scope, for the book-keeping, and for calls that set scope
    /// and path themselves for each statement: `tenant_ops.application_path` has the path that the application's
    /// code expects. Names resolve to `pg_catalog` only.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails.
    pub async fn connection(&mut self) -> Result<&mut PgConnection> {
        self.transaction.follow(SearchPath::Pinned).await?;
        self.leave_scope().await
    }

    /// The transaction outside of every tenant's scope, for a table of the application that has no tenants. Names
    /// resolve to the application's path, so statements must write each name with its schema.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails.
    pub async fn application(&mut self) -> Result<&mut PgConnection> {
        self.transaction.follow(SearchPath::Application).await?;
        self.leave_scope().await
    }

    async fn leave_scope(&mut self) -> Result<&mut PgConnection> {
        if !current(self.transaction.connection(), self.setting.variable()).await?.is_empty() {
            set_local(self.transaction.connection(), self.setting.variable(), "").await?;
        }
        Ok(self.transaction.connection())
    }

    /// Commits the batch.
    ///
    /// # Errors
    /// [`Error::Query`]: it could not be committed.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await
    }

    /// Rolls the batch back.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await
    }
}

/// The scope of one tenant inside a batch. It ends with the borrow.
pub struct TenantScope<'batch> {
    batch: &'batch mut BatchTx,
    tenant: TenantId,
}

impl TenantScope<'_> {
    /// The transaction, for this tenant's queries. Names resolve to the application's path.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.batch.transaction.connection()
    }

    /// The tenant of this scope.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}
