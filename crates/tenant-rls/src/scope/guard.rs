//! What every scope stands on: an open transaction that rolls back, and is cancelled on the server, when it is dropped.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection, PgConnection, Postgres};

use crate::{Database, Error, Result, Sql, Template};

/// How long a cancel request may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// An open transaction. Dropped before [`Guard::commit`] or [`Guard::rollback`], its connection is thrown away, never
/// given back to the pool, so that neither a setting nor a half-read answer can reach whoever comes next.
pub(crate) struct Guard {
    database: Database,
    connection: Option<PoolConnection<Postgres>>,
    backend: i32,
}

impl Guard {
    /// Opens the transaction; `begin` is the statement that does.
    pub(crate) async fn begin(database: &Database, begin: Sql) -> Result<Self> {
        let mut connection = database.acquire().await?;
        let doing = || Error::query("opening a transaction");
        let mut guard = Self { database: database.clone(), connection: None, backend: 0 };
        // Both statements in one go: behind a transaction pooler the backend is ours only from BEGIN on.
        let opened = sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(database.opening(begin))).await;
        guard.connection = Some(connection);
        opened.map_err(doing())?;
        guard.backend =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(guard.connection()).await.map_err(doing())?;
        Ok(guard)
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("only commit, rollback and drop take the connection, and each ends the guard")
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.end(Sql::from_static("COMMIT")).await
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        self.end(Sql::from_static("ROLLBACK")).await
    }

    async fn end(mut self, statement: Sql) -> Result<()> {
        let statement = self.database.forgetting(statement);
        let done = sqlx::Executor::execute(self.connection(), sqlx::raw_sql(statement)).await;
        done.map_err(Error::query("ending the transaction"))?;
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        connection.close_on_drop();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (options, backend) = (self.database.direct_options().clone(), self.backend);
        // The connection is held until the cancel request is through: only so long is the backend surely ours.
        runtime.spawn(async move {
            if backend != 0 {
                // Behind a pooler whose sessions are all taken it would wait for the very one that it is to set free.
                let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancel(&options, backend)).await;
            }
            drop(connection);
        });
    }
}

async fn cancel(options: &PgConnectOptions, backend: i32) -> sqlx::Result<()> {
    let mut other = options.connect().await?;
    // As one message: behind a pooler a statement that is prepared first may be executed in another session.
    let cancel = Template::new("SELECT pg_cancel_backend(:'backend'::int)");
    let cancel = cancel.literal("backend", &backend.to_string()).build();
    sqlx::Executor::execute(&mut other, sqlx::raw_sql(cancel)).await?;
    other.close().await
}
