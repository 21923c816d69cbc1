//! The scope for attempts, which are always rolled back: what a login sees and may write under any value of the session
//! variable.

use sqlx::{Connection as _, PgConnection};

use crate::connection::database::{Database, Limits};
use crate::connection::transaction::set_local;
use crate::error::{Error, Result};
use crate::policy::setting::SessionSetting;
use crate::sql::text::Sql;
use tenancy_config::Tenancy;

/// The server's own default.
const CPU_OPERATOR_COST: &str = "0.0025";

/// A transaction that cannot be committed, in a session of its own. Nothing has set the session variable in it before,
/// which a pooled session cannot promise. It has the login's own settings, `search_path` included but not what operators cost, so statements must
/// write every name with its schema. A lock is waited for at most 100 ms, and a statement runs at most 2 s, because the
/// application may be running. If it is dropped, its session ends, and the transaction with it.
pub struct ProbeTx {
    connection: PgConnection,
    database: Database,
    setting: SessionSetting,
    found: Option<String>,
}

impl ProbeTx {
    /// Opens the transaction. Without `writes` it is read-only.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(database: &Database, tenancy: &Tenancy, writes: bool) -> Result<Self> {
        let doing = || Error::query("opening an attempt");
        let mut connection = database.open(database.natural_options()).await?;
        let begin = Sql::from_static(if writes { "BEGIN READ WRITE" } else { "BEGIN READ ONLY" });
        let database = database.limited(Limits::BRIEF);
        sqlx::Executor::execute(&mut connection, sqlx::raw_sql(database.attempting(begin))).await.map_err(doing())?;
        // Where operators cost nothing, the planner may try a condition of the attempt before that of a policy.
        set_local(&mut connection, "cpu_operator_cost", CPU_OPERATOR_COST).await?;
        let setting = SessionSetting::of(tenancy);
        let found = sqlx::query_scalar("SELECT pg_catalog.current_setting($1, true)").bind(setting.variable());
        let found = found.fetch_one(&mut connection).await.map_err(doing())?;
        let mut probe = Self { connection, database, setting, found };
        probe.savepoint().await?;
        Ok(probe)
    }

    /// The value of the session variable at login; `None` if it was never set. A value comes from ALTER ROLE or ALTER
    /// DATABASE. An empty one comes from an earlier client of the same server session, behind a pooler.
    pub fn preset(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// The tenant that this value names, if it names one.
    pub fn preset_tenant(&self) -> Option<String> {
        self.setting.tenant_in(self.preset()?)
    }

    /// Sets the session variable to any tenant, or to none: the empty string.
    ///
    /// # Errors
    /// [`Error::Query`]: the statement fails.
    pub async fn set(&mut self, tenant: &str) -> Result<()> {
        let value = self.setting.value(tenant);
        self.set_value(&value).await
    }

    /// Sets the session variable to any value, whatever that means.
    ///
    /// # Errors
    /// [`Error::Query`]: the statement fails.
    pub async fn set_value(&mut self, value: &str) -> Result<()> {
        set_local(&mut self.connection, self.setting.variable(), value).await
    }

    /// Marks what was done so far, so that [`rollback_to`](Self::rollback_to) can return to it.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn savepoint(&mut self) -> Result<()> {
        let kept = sqlx::query("SAVEPOINT probe").persistent(false).execute(&mut self.connection).await;
        kept.map_err(Error::query("going on from an attempt"))?;
        Ok(())
    }

    /// Undoes what was done since [`savepoint`](Self::savepoint), or since the beginning if there is none, also after a
    /// statement failed. The session variable has its value from then. If it was never set before, it is empty now,
    /// because PostgreSQL forgets no variable.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn rollback_to(&mut self) -> Result<()> {
        let back = sqlx::query("ROLLBACK TO SAVEPOINT probe").persistent(false).execute(&mut self.connection).await;
        back.map_err(Error::query("taking an attempt back"))?;
        Ok(())
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Rolls everything back, and ends the session.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost; the server then rolls back too.
    pub async fn rollback(mut self) -> Result<()> {
        let rollback = self.database.forgetting(Sql::from_static("ROLLBACK"));
        let done = sqlx::Executor::execute(&mut self.connection, sqlx::raw_sql(rollback)).await;
        done.map_err(Error::query("taking the attempts back"))?;
        // If the session cannot be closed in an orderly way, it is gone already.
        let _ = self.connection.close().await;
        Ok(())
    }
}
