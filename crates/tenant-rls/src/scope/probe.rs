//! The scope for attempts, which are always rolled back: what a login sees and may write under any value of the session
//! variable.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Connection as _, PgConnection, Row};

use crate::connection::database::{Database, Limits};
use crate::connection::transaction::set_local;
use crate::error::{Error, Result};
use crate::policy::setting::SessionSetting;
use crate::sql::template::Template;
use crate::sql::text::Sql;
use tenancy_config::Tenancy;

/// The server's own default.
const CPU_OPERATOR_COST: &str = "0.0025";

/// Sessions of one login for attempts. A transaction takes over the session of an earlier one, as opening one costs more than most attempts.
pub struct ProbeSessions {
    database: Database,
    setting: SessionSetting,
    idle: Arc<Mutex<IdleSessions>>,
}

/// What may have been done to the session variable before a transaction of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableBefore {
    /// Nothing has set it in the session, as in one that the application just opened. A pooled session cannot promise this.
    NeverSet,
    /// Earlier transactions may have set it, so that it is empty instead of unknown where nobody sets it.
    Any,
}

/// At most one session of each kind that waits for the next transaction.
#[derive(Default)]
struct IdleSessions {
    never_set: Option<ProbeSession>,
    set_before: Option<ProbeSession>,
}

struct ProbeSession {
    connection: PgConnection,
    /// The value of the variable in the first transaction.
    preset: Option<Option<String>>,
    /// A transaction has set the variable.
    was_set: bool,
}

impl ProbeSessions {
    /// Sessions that are opened once they are needed.
    pub fn new(database: &Database, tenancy: &Tenancy) -> Self {
        let database = database.limited(Limits::BRIEF);
        Self { database, setting: SessionSetting::of(tenancy), idle: Arc::default() }
    }

    /// The database in which attempts are made.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Opens a transaction. Without `writes` it is read-only.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(&self, writes: bool, before: VariableBefore) -> Result<ProbeTx> {
        let idle = self.take(before);
        if let Some(session) = idle
            && let Ok(tx) = self.begin_in(session, writes, before).await
        {
            return Ok(tx);
        }
        // There was none, it is lost, or something of the application has set the variable in it.
        let connection = self.database.open(self.database.natural_options()).await?;
        let session = ProbeSession { connection, preset: None, was_set: false };
        self.begin_in(session, writes, before).await
    }

    fn take(&self, before: VariableBefore) -> Option<ProbeSession> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match before {
            VariableBefore::NeverSet => idle.never_set.take(),
            VariableBefore::Any => idle.set_before.take(),
        }
    }

    async fn begin_in(&self, mut session: ProbeSession, writes: bool, before: VariableBefore) -> Result<ProbeTx> {
        let doing = || Error::query("opening an attempt");
        let begin = Sql::from_static(if writes { "BEGIN READ WRITE" } else { "BEGIN READ ONLY" });
        // Where operators cost nothing, the planner may try a condition of the attempt before that of a policy.
        let open = Template::new(include_str!("../../../../sql/tenant-rls/begin_probe.sql"));
        let open = open.literal("cost", CPU_OPERATOR_COST).literal("variable", self.setting.variable()).build();
        let message = Sql::join([self.database.attempting(begin), open], ";\n");
        let rows = sqlx::raw_sql(message).fetch_all(&mut session.connection).await.map_err(doing())?;
        let found = rows.last().ok_or(sqlx::Error::RowNotFound).and_then(|row| row.try_get("found"));
        let found: Option<String> = found.map_err(doing())?;
        let preset = session.preset.get_or_insert_with(|| found.clone());
        if before == VariableBefore::NeverSet && *preset != found {
            return Err(doing()(sqlx::Error::Protocol("the session variable was set since".to_owned())));
        }
        let database = self.database.clone();
        // Where the login may have few, none is kept from others.
        let home = (!self.database.connections_are_few()).then(|| Arc::clone(&self.idle));
        Ok(ProbeTx { session, database, setting: self.setting.clone(), found, home })
    }
}

/// A transaction that cannot be committed, in a session that has the login's own settings, `search_path` included but not what operators cost, so
/// statements must write every name with its schema. A lock is waited for at most 100 ms, and a statement runs at most 2 s, because the
/// application may be running. If it is dropped, its session ends, and the transaction with it.
pub struct ProbeTx {
    session: ProbeSession,
    database: Database,
    setting: SessionSetting,
    found: Option<String>,
    /// Where the session goes for the next transaction.
    home: Option<Arc<Mutex<IdleSessions>>>,
}

impl ProbeTx {
    /// Opens the transaction in a session of its own, in which nothing has set the session variable before; a pooled session cannot promise
    /// that. Without `writes` it is read-only.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(database: &Database, tenancy: &Tenancy, writes: bool) -> Result<Self> {
        let mut tx = ProbeSessions::new(database, tenancy).begin(writes, VariableBefore::NeverSet).await?;
        tx.home = None;
        Ok(tx)
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
        self.session.was_set = true;
        set_local(&mut self.session.connection, self.setting.variable(), value).await
    }

    /// Marks what was done so far, so that [`rollback_to`](Self::rollback_to) can return to it.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn savepoint(&mut self) -> Result<()> {
        let kept = sqlx::raw_sql("SAVEPOINT probe").execute(&mut self.session.connection).await;
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
        let back = sqlx::raw_sql("ROLLBACK TO SAVEPOINT probe").execute(&mut self.session.connection).await;
        back.map_err(Error::query("taking an attempt back"))?;
        Ok(())
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.session.connection
    }

    /// Rolls everything back, and leaves the session to the next transaction, or ends it.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost; the server then rolls back too.
    pub async fn rollback(mut self) -> Result<()> {
        let rollback = self.database.forgetting(Sql::from_static("ROLLBACK"));
        let done = sqlx::Executor::execute(&mut self.session.connection, sqlx::raw_sql(rollback)).await;
        done.map_err(Error::query("taking the attempts back"))?;
        let session = match self.home {
            Some(home) => home.lock().unwrap_or_else(PoisonError::into_inner).keep(self.session),
            None => Some(self.session),
        };
        if let Some(session) = session {
            // If the session cannot be closed in an orderly way, it is gone already.
            let _ = session.connection.close().await;
        }
        Ok(())
    }
}

impl IdleSessions {
    /// Keeps a session for the next transaction; the answer is one for which there is no place.
    fn keep(&mut self, session: ProbeSession) -> Option<ProbeSession> {
        let place = if session.was_set { &mut self.set_before } else { &mut self.never_set };
        place.replace(session)
    }
}
