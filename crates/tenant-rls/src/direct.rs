//! One session outside any pool, for what cannot stand in a transaction: databases, roles, scripts.

use sqlx::{ConnectOptions as _, Connection, Executor, PgConnection, SqlSafeStr};

use crate::{Database, DatabaseUrl, Error, Result};

/// A single autocommit session.
#[derive(Debug)]
pub struct DirectConnection(PgConnection);

impl DirectConnection {
    /// Opens a session to this URL.
    ///
    /// # Errors
    /// [`Error::Connect`] where none comes about.
    pub async fn connect(url: &DatabaseUrl, application_name: &str) -> Result<Self> {
        let options = url.connect_options(false)?.application_name(application_name);
        let refused = |source: sqlx::Error| Error::Connect { target: url.to_string(), source: source.into() };
        options.connect().await.map(Self).map_err(refused)
    }

    /// Opens a session beside the pool of a database, past its pooler where it has a direct URL.
    ///
    /// # Errors
    /// [`Error::Connect`] where none comes about.
    pub async fn beside(database: &Database) -> Result<Self> {
        database.direct_options().connect().await.map(Self).map_err(|source| database.refused(source))
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
