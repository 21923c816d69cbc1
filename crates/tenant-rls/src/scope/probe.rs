//! Attempts that are always taken back: what a login sees and may write under any value of the session variable.

use sqlx::{Connection as _, PgConnection};

use crate::connection::database::{Database, Limits};
use crate::connection::transaction::set_local;
use crate::error::{Error, Result};
use crate::sql::text::Sql;
use tenancy_config::Tenancy;

/// A transaction that cannot be committed, on a session of its own: in it nothing has set the session variable before, which a
/// pooled session cannot promise, and its settings are those that the login has by itself, `search_path` among them: statements write every
/// name with its schema. Locks are waited for at most 100 ms and a statement runs at most 2 s, as it may stand beside a
/// live application. Dropped, its session ends, and with it the transaction.
pub struct ProbeTx {
    connection: PgConnection,
    database: Database,
    variable: String,
    found: Option<String>,
}

impl ProbeTx {
    /// Opens it; without `writes` it is read-only.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Query`].
    pub async fn begin(database: &Database, tenancy: &Tenancy, writes: bool) -> Result<Self> {
        let doing = || Error::query("opening an attempt");
        let mut connection = database.open(database.natural_options()).await?;
        let begin = Sql::from_static(if writes { "BEGIN" } else { "BEGIN READ ONLY" });
        let database = database.limited(Limits::BRIEF);
        sqlx::Executor::execute(&mut connection, sqlx::raw_sql(database.attempting(begin))).await.map_err(doing())?;
        let variable = tenancy.session.variable.clone();
        let found = sqlx::query_scalar("SELECT pg_catalog.current_setting($1, true)").bind(&variable);
        let found = found.fetch_one(&mut connection).await.map_err(doing())?;
        let mut probe = Self { connection, database, variable, found };
        probe.savepoint().await?;
        Ok(probe)
    }

    /// What the session variable held at login: `None` where it was never set. A value comes from ALTER ROLE or ALTER DATABASE,
    /// an empty one from whoever had the same server session before, behind a pooler.
    pub fn preset(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// Sets the session variable, to anything at all.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn set(&mut self, value: &str) -> Result<()> {
        set_local(&mut self.connection, &self.variable, value).await
    }

    /// Keeps what was done so far, until the end of the transaction: [`back`](Self::rollback_to) comes back to here.
    ///
    /// # Errors
    /// [`Error::Query`] where the connection is lost.
    pub async fn savepoint(&mut self) -> Result<()> {
        let kept = sqlx::query("SAVEPOINT probe").persistent(false).execute(&mut self.connection).await;
        kept.map_err(Error::query("going on from an attempt"))?;
        Ok(())
    }

    /// Takes back what was done since [`savepoint`](Self::savepoint), else since the beginning, also after an error of a statement. The session
    /// variable holds again what it held, except that it is empty where it was never set before: PostgreSQL forgets no variable.
    ///
    /// # Errors
    /// [`Error::Query`] where the connection is lost.
    pub async fn rollback_to(&mut self) -> Result<()> {
        let back = sqlx::query("ROLLBACK TO SAVEPOINT probe").persistent(false).execute(&mut self.connection).await;
        back.map_err(Error::query("taking an attempt back"))?;
        Ok(())
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Takes everything back, and ends the session.
    ///
    /// # Errors
    /// [`Error::Query`] where the connection is lost; it is rolled back then as well.
    pub async fn rollback(mut self) -> Result<()> {
        let rollback = self.database.forgetting(Sql::from_static("ROLLBACK"));
        let done = sqlx::Executor::execute(&mut self.connection, sqlx::raw_sql(rollback)).await;
        done.map_err(Error::query("taking the attempts back"))?;
        // A session that cannot say goodbye is gone already.
        let _ = self.connection.close().await;
        Ok(())
    }
}
