//! DDL: a transaction that never waits long for a lock and never reads through a filter.

use std::time::Duration;

use sqlx::{PgConnection, SqlSafeStr};

use crate::connection::database::Database;
use crate::connection::database::milliseconds;
use crate::connection::session::SearchPath;
use crate::connection::transaction::{Transaction, set_local};
use crate::error::{Error, Result};
use crate::sql::text::Sql;

/// How long a transaction that only reads the catalog or the book-keeping waits for a lock. DDL of others is over sooner, or it hangs.
pub const CATALOG_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A transaction for DDL, for the catalog and for book-keeping. Names resolve to `pg_catalog` alone. `row_security` is off in it: a statement
/// whose rows a policy would hide fails instead.
pub struct OwnerTx {
    guard: Transaction,
}

impl OwnerTx {
    /// Opens it with this `lock_timeout`. [`crate::retry_locks`] opens another after a wait.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn begin(database: &Database, lock_timeout: Duration) -> Result<Self> {
        let mut guard = Transaction::begin(database, Sql::from_static("BEGIN"), SearchPath::Pinned).await?;
        // Here and not with BEGIN: behind a pooler what is pinned comes after that, and sets it on.
        set_local(guard.connection(), "row_security", "off").await?;
        let lock_timeout = database.limits().map_or(lock_timeout, |limits| limits.lock_timeout.min(lock_timeout));
        set_local(guard.connection(), "lock_timeout", &milliseconds(lock_timeout)).await?;
        Ok(Self { guard })
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.guard.connection()
    }

    /// Runs one statement, under the search path of the application where it is marked as running its code. The server takes no second one:
    /// parts of the text may come from where others can write.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn run(&mut self, doing: &str, statement: &Sql) -> Result<()> {
        let path = if statement.runs_application_code() { SearchPath::Application } else { SearchPath::Pinned };
        let connection = self.guard.follow(path).await?;
        let done = sqlx::query(statement).persistent(false).execute(connection).await;
        done.map_err(Error::query(doing))?;
        self.guard.follow(SearchPath::Pinned).await?;
        Ok(())
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
