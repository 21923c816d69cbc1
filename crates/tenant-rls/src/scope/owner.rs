//! DDL: a transaction that never waits long for a lock and never reads through a filter.

use std::time::Duration;

use sqlx::{PgConnection, SqlSafeStr};

use super::guard::Guard;
use crate::database::milliseconds;
use crate::{Database, Error, Result, Sql};

/// A transaction for DDL. `row_security` is off in it: a statement whose rows a policy would hide fails instead.
pub struct OwnerTx {
    guard: Guard,
}

impl OwnerTx {
    /// Opens it with this `lock_timeout`. [`crate::retry_locks`] opens another after a wait.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn begin(database: &Database, lock_timeout: Duration) -> Result<Self> {
        let mut guard = Guard::begin(database, Sql::from_static("BEGIN; SET LOCAL row_security = off")).await?;
        let lock_timeout = database.limits().map_or(lock_timeout, |limits| limits.lock_timeout.min(lock_timeout));
        super::tenant::set_local(guard.connection(), "lock_timeout", &milliseconds(lock_timeout)).await?;
        Ok(Self { guard })
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.guard.connection()
    }

    /// Runs several statements that stand in one file.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn run_script(&mut self, doing: &str, script: impl SqlSafeStr) -> Result<()> {
        let done = sqlx::Executor::execute(self.guard.connection(), sqlx::raw_sql(script)).await;
        done.map_err(Error::query(doing))?;
        Ok(())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn commit(self) -> Result<()> {
        self.guard.commit().await
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn rollback(self) -> Result<()> {
        self.guard.rollback().await
    }
}
