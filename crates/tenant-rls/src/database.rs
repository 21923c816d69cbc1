//! A database: its pool of connections, and what the session that it gives may do.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Postgres, Row};

use crate::server_error::ServerError;
use crate::{DatabaseUrl, Error, Result, Sql, Template};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A setting that the first connection begins with, to see whether it arrives.
const PASSED_ON: (&str, &str) = ("tenant_rls.direct", "on");

/// How a pooler refuses settings at the beginning: as a violation of the protocol.
const UNSUPPORTED_PARAMETER: &str = "08P01";

/// The oldest server with what the batches need: range scans over `ctid`.
const OLDEST_SERVER: i32 = 140_000;

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Encrypt without checking the server's certificate.
    pub tls_no_verify: bool,
    /// The most connections that are open at once.
    pub max_connections: u32,
    /// What the server shows for us in `pg_stat_activity`.
    pub application_name: String,
    /// The same database without the pooler, for DDL.
    pub direct: Option<DatabaseUrl>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { tls_no_verify: false, max_connections: 4, application_name: "xtask".to_owned(), direct: None }
    }
}

/// Whether something stands between us and the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "why", rename_all = "snake_case")]
pub enum Pooler {
    /// Nothing that shows.
    None,
    /// A transaction pooler, and what tells of it.
    Suspected(String),
}

/// What a session is and may do, as the server tells it.
#[derive(Debug, Clone, Serialize)]
pub struct SessionFacts {
    /// The version as a number, such as `150018`.
    pub server_version_num: i32,
    /// The version for people, such as `15.18`.
    pub server_version: String,
    /// The database's name.
    pub database: String,
    /// The role that statements run as (`current_user`).
    pub role: String,
    /// The role that logged in (`session_user`).
    pub session_user: String,
    /// Superusers are never filtered by row level security.
    pub superuser: bool,
    /// Nor are roles with BYPASSRLS.
    pub bypass_rls: bool,
    /// A standby: nothing can be written.
    pub in_recovery: bool,
    /// `default_transaction_read_only` is on.
    pub read_only: bool,
    /// May create schemas in this database.
    pub may_create_schema: bool,
    /// The cluster's identity from `pg_control`, where this role may read it.
    pub system_identifier: Option<String>,
    /// What stands between.
    pub pooler: Pooler,
}

struct Inner {
    pool: PgPool,
    options: PgConnectOptions,
    direct: Option<PgConnectOptions>,
    url: DatabaseUrl,
    session: SessionFacts,
}

/// How long the transactions of a handle may take, beyond what each scope allows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Gives up on a lock after this long.
    pub lock_timeout: Duration,
    /// Gives up on a statement after this long.
    pub statement_timeout: Duration,
}

impl Limits {
    /// For looking and trying beside a live application.
    pub const BRIEF: Self =
        Self { lock_timeout: Duration::from_millis(100), statement_timeout: Duration::from_secs(2) };

    /// `begin`, with these limits until the transaction ends.
    pub(crate) fn within(self, begin: Sql) -> Sql {
        let limited =
            Template::new(":begin; SET LOCAL lock_timeout = :'lock'; SET LOCAL statement_timeout = :'statement'");
        let limited = limited.fragment("begin", begin).literal("lock", &milliseconds(self.lock_timeout));
        limited.literal("statement", &milliseconds(self.statement_timeout)).build()
    }
}

/// A duration as the server's settings have it.
pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// A database that answered. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
    limits: Option<Limits>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.inner.url).finish()
    }
}

impl Database {
    /// Connects, and asks the server what this session may do.
    ///
    /// # Errors
    /// [`Error::Connect`] where no connection comes about, [`Error::OldServer`] below PostgreSQL 14, [`Error::Url`] for
    /// a URL that would send a password unencrypted over a network.
    pub async fn connect(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self> {
        let with = |url: &DatabaseUrl| -> Result<PgConnectOptions> {
            Ok(url.connect_options(options.tls_no_verify)?.application_name(&options.application_name))
        };
        let mut connect = with(url)?;
        let direct = options.direct.as_ref().map(with).transpose()?;
        let (mut first, passed_on) = first(&connect, url).await?;
        let session = session_facts(&mut first, url, passed_on).await?;
        if session.pooler != Pooler::None {
            connect = connect.statement_cache_capacity(0);
        }
        // A session that cannot say goodbye is gone already.
        let _ = first.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(connect.clone());
        if session.server_version_num < OLDEST_SERVER {
            return Err(Error::OldServer { version: session.server_version });
        }
        let inner = Inner { pool, options: connect, direct, url: url.clone(), session };
        Ok(Self { inner: Arc::new(inner), limits: None })
    }

    /// Where this is; shown without the password.
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// What the session may do.
    pub fn session(&self) -> &SessionFacts {
        &self.inner.session
    }

    /// The same database, with limits on every transaction that a scope opens on this handle.
    #[must_use]
    pub fn limited(&self, limits: Limits) -> Self {
        Self { limits: Some(limits), ..self.clone() }
    }

    /// Whether a transaction pooler stands between: then a session of the server is ours for one transaction only.
    pub(crate) fn is_pooled(&self) -> bool {
        self.inner.session.pooler != Pooler::None
    }

    /// What opens a transaction on this handle: `begin`, its limits, and behind a pooler a session without a former client's statements.
    pub(crate) fn opening(&self, begin: Sql) -> Sql {
        let begin = match self.limits {
            Some(limits) => limits.within(begin),
            None => begin,
        };
        self.forgetting(begin)
    }

    /// `statement`, after which behind a pooler no statement of ours is left in the session for its next client.
    pub(crate) fn forgetting(&self, statement: Sql) -> Sql {
        if !self.is_pooled() {
            return statement;
        }
        let forget = Sql::from_static(include_str!("../../../sql/scope/forget_statements.sql"));
        Sql::join([statement, forget], ";\n")
    }

    pub(crate) fn limits(&self) -> Option<Limits> {
        self.limits
    }

    /// Ends every connection.
    pub async fn close(self) {
        self.inner.pool.close().await;
    }

    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Postgres>> {
        self.inner.pool.acquire().await.map_err(|source| self.refused(source))
    }

    pub(crate) fn refused(&self, source: sqlx::Error) -> Error {
        Error::Connect { target: self.inner.url.to_string(), source: source.into() }
    }

    /// For a session outside the pool: cancel requests.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.inner.options
    }

    /// For DDL: past the pooler where there is one.
    pub(crate) fn direct_options(&self) -> &PgConnectOptions {
        self.inner.direct.as_ref().unwrap_or(&self.inner.options)
    }
}

/// A session of its own before there is a pool, which would try a server that refuses again and again, and say only that time ran out;
/// and whether it was let begin with a setting. A pooler refuses that, or leaves it out.
async fn first(options: &PgConnectOptions, url: &DatabaseUrl) -> Result<(PgConnection, bool)> {
    let connect = async |options: &PgConnectOptions| {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
        connected.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(ServerError::from)
    };
    let refused = |source| Error::Connect { target: url.to_string(), source };
    if url.pooler_hint().is_none() {
        match connect(&options.clone().options([PASSED_ON])).await {
            Ok(session) => return Ok((session, true)),
            Err(error) if error.sqlstate() == Some(UNSUPPORTED_PARAMETER) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok((connect(options).await.map_err(refused)?, false))
}

async fn session_facts(session: &mut PgConnection, url: &DatabaseUrl, passed_on: bool) -> Result<SessionFacts> {
    // As one message: behind a pooler a statement that is prepared first may be executed in another session.
    let row = sqlx::raw_sql(include_str!("../../../sql/catalog/session_facts.sql"))
        .fetch_one(&mut *session)
        .await
        .map_err(Error::query("asking the server what this session may do"))?;
    let mut facts = SessionFacts {
        server_version_num: row.get(0),
        server_version: row.get(1),
        database: row.get(2),
        role: row.get(3),
        session_user: row.get(4),
        superuser: row.get(5),
        bypass_rls: row.get(6),
        in_recovery: row.get(7),
        read_only: row.get(8),
        may_create_schema: row.get(9),
        system_identifier: None,
        pooler: match url.pooler_hint() {
            Some(why) => Pooler::Suspected(why.to_owned()),
            None if passed_on && row.get(11) => Pooler::None,
            None => {
                Pooler::Suspected("a setting at the beginning of a connection does not reach the server".to_owned())
            }
        },
    };
    if row.get(10) {
        let identifier =
            sqlx::raw_sql("SELECT system_identifier::text FROM pg_control_system()").fetch_one(session).await;
        facts.system_identifier = Some(identifier.map_err(Error::query("reading the cluster's identity"))?.get(0));
    }
    Ok(facts)
}
