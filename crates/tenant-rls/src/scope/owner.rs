//! The scope for DDL: a transaction that never waits long for a lock and never reads through a filter.

use std::time::Duration;

use sqlx::{PgConnection, SqlSafeStr};

use crate::connection::database::Database;
use crate::connection::database::milliseconds;
use crate::connection::session::SearchPath;
use crate::connection::transaction::Transaction;
use crate::error::{Error, Result};
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// How long a transaction that only reads the catalog or the book-keeping waits for a lock. DDL of another session
/// either ends sooner or hangs.
pub const CATALOG_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A transaction for DDL, the catalog and the book-keeping. Names resolve to `pg_catalog` only. `row_security` is off:
/// if a policy would hide rows from a statement, the statement fails.
pub struct OwnerTx {
    transaction: Transaction,
}

impl OwnerTx {
    /// Opens the transaction with this `lock_timeout`. [`crate::retry_locks`] opens another one after a wait.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(database: &Database, lock_timeout: Duration) -> Result<Self> {
        Self::begin_with(database, lock_timeout, "").await
    }

    /// The same with more settings: statements that set them for this transaction.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin_with(database: &Database, lock_timeout: Duration, settings: &'static str) -> Result<Self> {
        Self::begin_message(database, lock_timeout, settings, "opening a transaction", None).await
    }

    /// The same with the statement that takes the transaction's lock, in the same message.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails, or the lock is not had in time.
    pub async fn begin_locking(
        database: &Database,
        lock_timeout: Duration,
        settings: &'static str,
        doing: &str,
        lock: &Sql,
    ) -> Result<Self> {
        Self::begin_message(database, lock_timeout, settings, doing, Some(lock)).await
    }

    async fn begin_message(
        database: &Database,
        lock_timeout: Duration,
        settings: &'static str,
        doing: &str,
        lock: Option<&Sql>,
    ) -> Result<Self> {
        let lock_timeout = database.limits().map_or(lock_timeout, |limits| limits.lock_timeout.min(lock_timeout));
        let ours = Template::new("SET LOCAL row_security = off; SET LOCAL lock_timeout = :'lock_timeout'");
        let ours = ours.literal("lock_timeout", &milliseconds(lock_timeout)).build();
        let settings = Sql::join([ours, Sql::from_static(settings)], "; ");
        let begin = Sql::from_static("BEGIN");
        let transaction =
            Transaction::begin_with(database, begin, SearchPath::Pinned, Some(settings), lock.cloned(), doing).await?;
        Ok(Self { transaction })
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.transaction.connection()
    }

    /// Runs one statement. If it is marked as running the application's code, it runs under the application's search
    /// path. The server accepts no second statement in it, because parts of the text may come from where others can
    /// write.
    ///
    /// # Errors
    /// [`Error::Query`]: the statement fails.
    pub async fn run(&mut self, doing: &str, statement: &Sql) -> Result<()> {
        let connection = self.transaction.follow(path_of(statement)).await?;
        let done = sqlx::query(statement).persistent(false).execute(connection).await;
        done.map_err(Error::query(doing))?;
        self.transaction.follow(SearchPath::Pinned).await?;
        Ok(())
    }

    /// Runs statements in order, in as few messages as possible: those that [`OwnerTx::run`] would have to guard against a second
    /// statement go alone.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails; the rest is not run.
    pub async fn run_all<'a>(&mut self, doing: &str, statements: impl IntoIterator<Item = &'a Sql>) -> Result<()> {
        let mut together = Vec::new();
        for statement in statements {
            if statement.is_printed_elsewhere() {
                self.transaction.run_together(doing, &std::mem::take(&mut together)).await?;
                self.run(doing, statement).await?;
            } else {
                together.push((path_of(statement), statement));
            }
        }
        self.transaction.run_together(doing, &together).await
    }

    /// Runs the statements of one file.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails; the rest is not run.
    pub async fn run_script(&mut self, doing: &str, script: impl SqlSafeStr) -> Result<()> {
        let done = sqlx::Executor::execute(self.transaction.connection(), sqlx::raw_sql(script)).await;
        done.map_err(Error::query(doing))?;
        Ok(())
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`Error::Query`]: it could not be committed.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await
    }
}

/// The search path under which a statement runs.
fn path_of(statement: &Sql) -> SearchPath {
    if statement.runs_application_code() { SearchPath::Application } else { SearchPath::Pinned }
}
