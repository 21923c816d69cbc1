//! A session outside any pool, for what cannot run in a transaction: creating databases and roles, and scripts.

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
    /// Opens a session to this URL. Names resolve to `pg_catalog` only.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made.
    pub async fn connect(url: &DatabaseUrl, application_name: &str) -> Result<Self> {
        Self::open(url, pinned(connect_options(url, false)?.application_name(application_name), OLDEST_SERVER)).await
    }

    /// Opens a session with the login's own settings, its `search_path` included, to act as the application on a
    /// database that this project made.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made.
    pub async fn as_application(url: &DatabaseUrl, application_name: &str) -> Result<Self> {
        Self::open(url, connect_options(url, false)?.application_name(application_name)).await
    }

    async fn open(url: &DatabaseUrl, options: PgConnectOptions) -> Result<Self> {
        let refused = |source: sqlx::Error| Error::Connect { target: url.to_string(), source: source.into() };
        options.connect().await.map(Self).map_err(refused)
    }

    /// Opens a session outside the pool of a database, and past its pooler if there is a direct URL. Names resolve to
    /// `pg_catalog` only; behind a pooler this holds only for the statements of [`look`](Self::look).
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made.
    pub async fn beside(database: &Database) -> Result<Self> {
        let options = database.direct_options().await?;
        let mut session = database.open(options).await?;
        if database.is_direct() {
            // In case something between us and the server dropped the setting that the session began with.
            let pin = Sql::join([Sql::from_static("SET search_path = "), Sql::from_static(PINNED_PATH)], "");
            let pinned = sqlx::Executor::execute(&mut session, sqlx::raw_sql(pin)).await;
            pinned.map_err(Error::query("setting the search path"))?;
        }
        Ok(Self(session))
    }

    /// Runs one reading statement in a transaction of its own with all our settings, also behind a pooler.
    ///
    /// # Errors
    /// [`Error::Query`]: the statement fails.
    pub async fn look(&mut self, doing: &str, statement: Sql) -> Result<PgRow> {
        let statements = Sql::join([pinned_locally(OLDEST_SERVER), statement], ";\n");
        let rows = one_message(&mut self.0, statements).await.map_err(Error::query(doing))?;
        rows.into_iter().next().ok_or_else(|| Error::query(doing)(sqlx::Error::RowNotFound))
    }

    /// Runs the statements of one file.
    ///
    /// # Errors
    /// [`Error::Query`]: a statement fails; the rest is not run. `doing` says in the error what was being done.
    pub async fn run_script(&mut self, doing: &str, script: impl SqlSafeStr) -> Result<()> {
        self.0.execute(sqlx::raw_sql(script)).await.map_err(Error::query(doing))?;
        Ok(())
    }

    /// The session, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Closes the session.
    pub async fn close(self) {
        // If the session cannot be closed in an orderly way, it is gone already.
        let _ = self.0.close().await;
    }
}
