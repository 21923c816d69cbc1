//! What every scope stands on: an open transaction that rolls back, and is cancelled on the server, when it is dropped.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions as _, Connection, PgConnection, Postgres};

use crate::database::set_path;
use crate::session::{PINNED_PATH, SearchPath, one_message, pinned_locally};
use crate::{Database, Error, Result, Sql, Template};

/// How long a cancel request may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// An open transaction. Dropped before [`Guard::commit`] or [`Guard::rollback`], its connection is thrown away, never
/// given back to the pool, so that neither a setting nor a half-read answer can reach whoever comes next.
pub(crate) struct Guard {
    database: Database,
    connection: Option<PoolConnection<Postgres>>,
    path: SearchPath,
    backend: i32,
}

impl Guard {
    /// Opens the transaction, in which names resolve to `path`; `begin` is the statement that does.
    pub(crate) async fn begin(database: &Database, begin: Sql, path: SearchPath) -> Result<Self> {
        let mut connection = database.acquire().await?;
        let doing = || Error::query("opening a transaction");
        let mut guard = Self { database: database.clone(), connection: None, path, backend: 0 };
        // Both statements in one go: behind a transaction pooler the backend is ours only from BEGIN on.
        let opened = sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(database.opening(begin, path))).await;
        guard.connection = Some(connection);
        opened.map_err(doing())?;
        guard.backend = sqlx::query_scalar("SELECT pg_catalog.pg_backend_pid()")
            .fetch_one(guard.connection())
            .await
            .map_err(doing())?;
        Ok(guard)
    }

    /// Lets names resolve to another path from here on. What the application deferred to the end of the transaction runs before its path goes.
    pub(crate) async fn follow(&mut self, path: SearchPath) -> Result<&mut PgConnection> {
        if self.path != path {
            let change = match path {
                SearchPath::Application => set_path(self.database.application_path()),
                SearchPath::Pinned => {
                    Sql::join([Sql::from_static("SET CONSTRAINTS ALL IMMEDIATE"), set_path(PINNED_PATH)], "; ")
                }
            };
            let changed = sqlx::Executor::execute(self.connection(), sqlx::raw_sql(change)).await;
            changed.map_err(Error::query("changing the search path"))?;
            self.path = path;
        }
        Ok(self.connection())
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
        // Behind a pooler what follows the end stands in no transaction of ours: it is qualified.
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
        let (database, backend) = (self.database.clone(), self.backend);
        // The connection is held until the cancel request is through: only so long is the backend surely ours.
        runtime.spawn(async move {
            if backend != 0 {
                // Behind a pooler whose sessions are all taken it would wait for the very one that it is to set free.
                let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancel(&database, backend)).await;
            }
            drop(connection);
        });
    }
}

async fn cancel(database: &Database, backend: i32) -> sqlx::Result<()> {
    let mut other = database.unproven_direct_options().connect().await?;
    let place = &database.session().place;
    // As one message: behind a pooler a statement that is prepared first may be executed in another session.
    let cancel = Template::new(include_str!("../../../../sql/scope/cancel.sql"))
        .literal("backend", &backend.to_string())
        .literal("database_oid", &place.database_oid.to_string())
        .literal("server_since", &place.server_since)
        .build();
    let pinned = pinned_locally(database.session().server_version_num);
    one_message(&mut other, Sql::join([pinned, cancel], ";\n")).await?;
    other.close().await
}
