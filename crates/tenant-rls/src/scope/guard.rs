//! What every scope stands on: an open transaction that rolls back, and is cancelled on the server, when it is dropped.

use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions as _, Connection, PgConnection, Postgres};

use crate::{Database, Error, Result, Sql};

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
        let begin = match database.limits() {
            Some(limits) => limits.within(begin),
            None => begin,
        };
        // Both statements in one go: behind a transaction pooler the backend is ours only from BEGIN on.
        let opened = sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(begin)).await;
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
        let done = sqlx::query(statement).persistent(false).execute(self.connection()).await;
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
        let (options, backend) = (self.database.options().clone(), self.backend);
        // The connection is held until the cancel request is through: only so long is the backend surely ours.
        runtime.spawn(async move {
            if backend != 0
                && let Ok(mut other) = options.connect().await
            {
                let _ = sqlx::query("SELECT pg_cancel_backend($1)").bind(backend).execute(&mut other).await;
                let _ = other.close().await;
            }
            drop(connection);
        });
    }
}
