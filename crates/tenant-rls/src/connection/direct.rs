//! One session outside any pool, for what cannot stand in a transaction: databases, roles, scripts.

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection, Executor, PgConnection, SqlSafeStr};

use tenancy_config::DatabaseUrl;

use super::database::Database;
use super::options::connect_options;
use super::session::{OLDEST_SERVER, PINNED_PATH, one_message, pinned, pinned_locally};
use crate::error::{Error, Result};
use crate::sql::text::Sql;

/// A single autocommit session.
#[derive(Debug)]
pub struct DirectConnection(PgConnection);

impl DirectConnection {
    /// Opens a session to this URL, in which names resolve to `pg_catalog` alone.
    ///
    /// # Errors
    /// [`Error::Connect`] where none comes about.
    pub async fn connect(url: &DatabaseUrl, application_name: &str) -> Result<Self> {
        Self::open(url, pinned(connect_options(url, false)?.application_name(application_name), OLDEST_SERVER)).await
    }

    /// Opens a session that is as this login is by itself, its `search_path` too: in the place of the application, on a database that this
    /// project made.
    ///
    /// # Errors
    /// [`Error::Connect`] where none comes about.
    pub async fn as_application(url: &DatabaseUrl, application_name: &str) -> Result<Self> {
        Self::open(url, connect_options(url, false)?.application_name(application_name)).await
    }

    async fn open(url: &DatabaseUrl, options: PgConnectOptions) -> Result<Self> {
        let refused = |source: sqlx::Error| Error::Connect { target: url.to_string(), source: source.into() };
        options.connect().await.map(Self).map_err(refused)
    }

    /// Opens a session beside the pool of a database, past its pooler where it has a direct URL. Names resolve to `pg_catalog` alone, except
    /// behind a pooler, where [`look`](Self::look) does that for one statement.
    ///
    /// # Errors
    /// [`Error::Connect`] where none comes about.
    pub async fn beside(database: &Database) -> Result<Self> {
        let options = database.direct_options().await?;
        let mut session = database.open(options).await?;
        if database.is_direct() {
            // Where something between us and the server dropped the setting that the session began with.
            let pin = Sql::join([Sql::from_static("SET search_path = "), Sql::from_static(PINNED_PATH)], "");
            let pinned = sqlx::Executor::execute(&mut session, sqlx::raw_sql(pin)).await;
            pinned.map_err(Error::query("setting the search path"))?;
        }
        Ok(Self(session))
    }

    /// Runs one reading statement in a transaction of its own, with everything pinned: also behind a pooler.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn look(&mut self, doing: &str, statement: Sql) -> Result<PgRow> {
        let statements = Sql::join([pinned_locally(OLDEST_SERVER), statement], ";\n");
        let rows = one_message(&mut self.0, statements).await.map_err(Error::query(doing))?;
        rows.into_iter().next().ok_or_else(|| Error::query(doing)(sqlx::Error::RowNotFound))
    }

    /// Runs several statements that stand in one file.
    ///
    /// # Errors
    /// [`Error::Query`] with what the server said to the first that failed; `doing` says what was being done.
    pub async fn run_script(&mut self, doing: &str, script: impl SqlSafeStr) -> Result<()> {
        self.0.execute(sqlx::raw_sql(script)).await.map_err(Error::query(doing))?;
        Ok(())
    }

    /// The session, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Ends the session.
    pub async fn close(self) {
        // A session that cannot say goodbye is gone already.
        let _ = self.0.close().await;
    }
}
