//! The transaction inside every scope. If it is dropped while open, it is rolled back, and its statement is cancelled
//! on the server.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{ConnectOptions as _, Connection, PgConnection, Postgres, Row};

use super::database::{Database, set_path};
use super::session::{PINNED_PATH, SearchPath, one_message, pinned_locally};
use crate::access::ActingRole;
use crate::error::{Error, Result, fault_of};
use crate::server_error::Fault;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// How long a cancel request may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// An open transaction. If it is dropped before [`Transaction::commit`] or [`Transaction::rollback`], its connection is
/// closed and not returned to the pool, so that neither a setting nor a half-read answer can reach its next user.
pub(crate) struct Transaction {
    database: Database,
    connection: Option<PoolConnection<Postgres>>,
    path: SearchPath,
    backend: i32,
}

impl Transaction {
    /// Opens the transaction with the statement `begin`. Names in it resolve to `path`.
    pub(crate) async fn begin(database: &Database, begin: Sql, path: SearchPath) -> Result<Self> {
        Self::begin_with(database, begin, path, None, None, "opening a transaction").await
    }

    /// The same with settings for this transaction, which win over those that each of our transactions has. `doing` is what an error says
    /// that failed. With a `lock` the transaction is opened once: while it waited for that, the server may have crashed and forgotten what was done before,
    /// which is no longer there for what comes next.
    pub(crate) async fn begin_with(
        database: &Database,
        begin: Sql,
        path: SearchPath,
        settings: Option<Sql>,
        lock: Option<Sql>,
        doing: &str,
    ) -> Result<Self> {
        let opens_again = lock.is_none();
        let backend = Sql::from_static("SELECT pg_catalog.pg_backend_pid() AS backend");
        let parts = [Some(database.opening(begin, path)), settings, lock, Some(backend)];
        // In one message: behind a transaction pooler, the backend is ours only from BEGIN on; and each message is a round trip.
        let message = Sql::join(parts.into_iter().flatten(), ";\n");
        let opened = Self::open(database, database.acquire().await?, message.clone(), path, doing).await;
        match opened {
            // It was not asked whether it still answers, and nothing was done yet.
            Err(error) if opens_again && fault_of(&error) == Fault::Connection => {
                Self::open(database, database.acquire_answering().await?, message, path, doing).await
            }
            opened => opened,
        }
    }

    async fn open(
        database: &Database,
        connection: PoolConnection<Postgres>,
        message: Sql,
        path: SearchPath,
        doing: &str,
    ) -> Result<Self> {
        // The connection is the transaction's from here on: whoever gives up while it opens must not leave it open to the next one.
        let mut transaction = Self { database: database.clone(), connection: Some(connection), path, backend: 0 };
        let opened = sqlx::raw_sql(message).fetch_all(transaction.connection()).await;
        // The settings have answers too; this one is the last.
        let backend = opened.and_then(|rows| rows.last().ok_or(sqlx::Error::RowNotFound)?.try_get("backend"));
        match backend {
            Ok(backend) => transaction.backend = backend,
            Err(error) => {
                // Dropping it would do as well, but cost a new connection: a lock that is not had in time is tried for again.
                let _ = transaction.rollback().await;
                return Err(Error::query(doing)(error));
            }
        }
        Ok(transaction)
    }

    /// Changes the search path from here on. Before the application's path is left, the triggers that it deferred to
    /// the end of the transaction are run.
    pub(crate) async fn follow(&mut self, path: SearchPath) -> Result<&mut PgConnection> {
        if self.path != path {
            let change = self.change_of_path(path);
            let changed = sqlx::Executor::execute(self.connection(), sqlx::raw_sql(change)).await;
            changed.map_err(Error::query("changing the search path"))?;
            self.path = path;
        }
        Ok(self.connection())
    }

    fn change_of_path(&self, path: SearchPath) -> Sql {
        match path {
            SearchPath::Application => set_path(self.database.application_path()),
            SearchPath::Pinned => {
                Sql::join([Sql::from_static("SET CONSTRAINTS ALL IMMEDIATE"), set_path(PINNED_PATH)], "; ")
            }
        }
    }

    /// Runs statements in one message, each under its search path, and ends under the path that this transaction has now.
    pub(crate) async fn run_together(&mut self, doing: &str, statements: &[(SearchPath, &Sql)]) -> Result<()> {
        let mut message = Vec::new();
        let mut path = self.path;
        let end = [(self.path, None)];
        for (wanted, statement) in statements.iter().map(|(path, sql)| (*path, Some(*sql))).chain(end) {
            if wanted != path {
                message.push(self.change_of_path(wanted));
                path = wanted;
            }
            message.extend(statement.cloned());
        }
        if message.is_empty() {
            return Ok(());
        }
        // A statement may end with a comment.
        let message = Sql::join(message, "\n;\n");
        let done = sqlx::Executor::execute(self.connection(), sqlx::raw_sql(message)).await;
        done.map_err(Error::query(doing))?;
        Ok(())
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.connection
            .as_mut()
            .expect("only commit, rollback and drop take the connection, and each ends the transaction")
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.end(Sql::from_static("COMMIT")).await
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        self.end(Sql::from_static("ROLLBACK")).await
    }

    async fn end(mut self, statement: Sql) -> Result<()> {
        // Behind a pooler, the text after the end of the transaction is not in a transaction of ours, so its names have
        // their schemas.
        let statement = self.database.forgetting(statement);
        let done = sqlx::Executor::execute(self.connection(), sqlx::raw_sql(statement)).await;
        done.map_err(Error::query("ending the transaction"))?;
        if let Some(connection) = self.connection.take() {
            self.database.give_back(connection);
        }
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        connection.close_on_drop();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (database, backend) = (self.database.clone(), self.backend);
        // The connection is kept until the cancel request is done, because only until then the backend is certainly
        // ours.
        runtime.spawn(async move {
            if backend != 0 {
                // If all sessions of a pooler are taken, the request would wait for the one that it should free.
                let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancel(&database, backend)).await;
            }
            drop(connection);
        });
    }
}

impl Database {
    /// Runs one reading statement in a transaction of its own.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: the statement fails.
    pub async fn look(&self, doing: &str, statement: Sql) -> Result<PgRow> {
        let mut transaction = begin_read_only(self).await?;
        let row = sqlx::raw_sql(statement).fetch_one(transaction.connection()).await.map_err(Error::query(doing))?;
        transaction.rollback().await?;
        Ok(row)
    }
}

/// Begins a transaction that only reads the catalog.
pub(crate) async fn begin_read_only(database: &Database) -> Result<Transaction> {
    Transaction::begin(database, Sql::from_static("BEGIN READ ONLY"), SearchPath::Pinned).await
}

/// Acts as another role until the transaction ends. Nothing is set for the login's own role.
pub(crate) async fn set_role(connection: &mut PgConnection, role: &ActingRole) -> Result<()> {
    match role.assumed() {
        Some(role) => set_local(connection, "role", role).await,
        None => Ok(()),
    }
}

/// The same. The answer is whether this login can act as the role: there may be none of that name, or a right is missing.
pub(crate) async fn can_act_as(connection: &mut PgConnection, role: &ActingRole) -> Result<bool> {
    match set_role(connection, role).await {
        Ok(()) => Ok(true),
        // insufficient_privilege, and invalid_parameter_value where the role does not exist.
        Err(error) if matches!(error.sqlstate(), Some("42501" | "22023")) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets a session variable until the transaction ends. The value is a bind parameter.
pub(crate) async fn set_local(connection: &mut PgConnection, variable: &str, value: &str) -> Result<()> {
    sqlx::query("SELECT pg_catalog.set_config($1, $2, true)")
        .bind(variable)
        .bind(value)
        .execute(connection)
        .await
        .map_err(Error::query(format!("setting {variable} for this transaction")))?;
    Ok(())
}

/// The value of a session variable; empty if it was never set.
pub(crate) async fn current(connection: &mut PgConnection, variable: &str) -> Result<String> {
    let value: Option<String> = sqlx::query_scalar("SELECT pg_catalog.current_setting($1, true)")
        .bind(variable)
        .fetch_one(connection)
        .await
        .map_err(Error::query(format!("reading {variable}")))?;
    Ok(value.unwrap_or_default())
}

async fn cancel(database: &Database, backend: i32) -> sqlx::Result<()> {
    let mut other = database.unproven_direct_options().connect().await?;
    let place = &database.session().place;
    // In one message: behind a pooler, a prepared statement may be executed in another session.
    let cancel = Template::new(include_str!("../../../../sql/tenant-rls/cancel.sql"))
        .literal("backend", &backend.to_string())
        .literal("database_oid", &place.database_oid.to_string())
        .literal("server_since", &place.server_since)
        .build();
    let pinned = pinned_locally(database.session().server_version_num);
    one_message(&mut other, Sql::join([pinned, cancel], ";\n")).await?;
    other.close().await
}
