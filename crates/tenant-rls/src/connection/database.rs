//! A database: its pool of connections, and what its session may do.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, Postgres};
use tokio::sync::OnceCell;

use tenancy_config::DatabaseUrl;

use super::options::connect_options;
use super::recent::{Recent, Waiting};
use super::session::{self, CONNECT_TIMEOUT, OLDEST_SERVER, PINNED_PATH, Pooler, SearchPath, SessionFacts};
use crate::error::{Error, Result};
use crate::server_error::{ServerError, TOO_MANY_CONNECTIONS};
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Encrypts without verifying the server's certificate.
    pub tls_no_verify: bool,
    /// The most connections that may be open at once.
    pub max_connections: u32,
    /// The name that `pg_stat_activity` shows for us.
    pub application_name: String,
    /// The URL of the same database without the pooler, for DDL.
    pub direct: Option<DatabaseUrl>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { tls_no_verify: false, max_connections: 4, application_name: "xtask".to_owned(), direct: None }
    }
}

struct Inner {
    pool: PgPool,
    recent: Recent,
    /// Options for a session with the login's own settings.
    natural: PgConnectOptions,
    /// Options for a session with our settings, if the server can be sent any at the start of a connection.
    options: PgConnectOptions,
    direct: Option<Direct>,
    url: DatabaseUrl,
    session: SessionFacts,
}

/// A URL that is said to lead to the same database without its pooler. That is proven before the URL is used.
pub(super) struct Direct {
    pub(super) url: DatabaseUrl,
    pub(super) options: PgConnectOptions,
    pub(super) proven: OnceCell<()>,
}

/// Time limits for the transactions of a handle, in addition to those of each scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement waits for a lock before it fails.
    pub lock_timeout: Duration,
    /// How long a statement may run before it fails.
    pub statement_timeout: Duration,
}

impl Limits {
    /// For reading and for attempts while the application is running.
    pub const BRIEF: Self =
        Self { lock_timeout: Duration::from_millis(100), statement_timeout: Duration::from_secs(2) };

    /// Sets these limits for the rest of the transaction.
    fn set(self) -> Sql {
        let set = Template::new("SET LOCAL lock_timeout = :'lock'; SET LOCAL statement_timeout = :'statement'");
        let set = set.literal("lock", &milliseconds(self.lock_timeout));
        set.literal("statement", &milliseconds(self.statement_timeout)).build()
    }
}

/// Sets the search path for the rest of the transaction, whichever path is set now.
pub(crate) fn set_path(path: &str) -> Sql {
    Template::new("SELECT pg_catalog.set_config('search_path', :'path', true)").literal("path", path).build()
}

/// Writes a duration as the server's settings take it.
pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// A database that we are connected to. Clones are cheap and share one pool.
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
    /// [`Error::Connect`]: no connection can be made. [`Error::OldServer`]: the server is older than PostgreSQL 14.
    /// [`Error::Url`]: the URL would send a password unencrypted over a network.
    pub async fn connect(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self> {
        let with = |url: &DatabaseUrl| -> Result<PgConnectOptions> {
            Ok(connect_options(url, options.tls_no_verify)?.application_name(&options.application_name))
        };
        let natural = with(url)?;
        let (first, session) = session::first(&natural, url).await?;
        let version = session.server_version_num;
        if version < OLDEST_SERVER {
            return Err(Error::OldServer { version: session.server_version });
        }
        session::close(first).await;
        let pooled = session.pooler != Pooler::None;
        let natural = if pooled { natural.statement_cache_capacity(0) } else { natural };
        let options_of_ours = if pooled { natural.clone() } else { session::pinned(natural.clone(), version) };
        let most = session.connections_left.map_or(options.max_connections, |left| left.min(options.max_connections));
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(options_of_ours.clone());
        let direct = options.direct.as_ref().filter(|direct| *direct != url);
        let direct = direct.map(|url| {
            let options = session::pinned(with(url)?, version);
            Ok::<_, Error>(Direct { url: url.clone(), options, proven: OnceCell::new() })
        });
        let direct = direct.transpose()?;
        let recent = Recent::default();
        let inner = Inner { pool, recent, natural, options: options_of_ours, direct, url: url.clone(), session };
        Ok(Self { inner: Arc::new(inner), limits: None })
    }

    /// The URL that we connected to. Its `Display` shows no password.
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// What the session may do.
    pub fn session(&self) -> &SessionFacts {
        &self.inner.session
    }

    /// The same database, with these limits for every transaction that a scope opens on this handle.
    #[must_use]
    pub fn limited(&self, limits: Limits) -> Self {
        Self { limits: Some(limits), ..self.clone() }
    }

    /// Whether there is a transaction pooler. Then a session of the server is ours for one transaction only.
    pub(crate) fn is_pooled(&self) -> bool {
        self.inner.session.pooler != Pooler::None
    }

    /// How many connections the pool may open: as many as asked for, or as CONNECTION LIMIT allows.
    pub fn max_connections(&self) -> u32 {
        self.inner.pool.options().get_max_connections()
    }

    /// The text that opens a transaction on this handle: `begin`, the limits, and the search path. Behind a pooler it
    /// also removes the statements and settings that an earlier client left in the session.
    pub(crate) fn opening(&self, begin: Sql, path: SearchPath) -> Sql {
        let mut parts = vec![begin];
        if self.is_pooled() {
            parts.push(session::pinned_locally(self.inner.session.server_version_num));
        }
        if let Some(limits) = self.limits {
            parts.push(limits.set());
        }
        // At the end, because the text that removes statements is written for the pinned path.
        let begin = self.forgetting(Sql::join(parts, "; "));
        match path {
            // The session began with this path, but a connection that was lent for longer may have another one.
            SearchPath::Pinned => Sql::join([begin, set_path(PINNED_PATH)], ";\n"),
            SearchPath::Application => Sql::join([begin, set_path(&self.inner.session.search_path)], ";\n"),
        }
    }

    /// The text that opens a transaction for attempts as this login. It sets limits only; everything else must be as it
    /// is for the application.
    pub(crate) fn attempting(&self, begin: Sql) -> Sql {
        self.forgetting(Sql::join([Some(begin), self.limits.map(Limits::set)].into_iter().flatten(), "; "))
    }

    /// The search path that the application's own code expects: the login's.
    pub fn application_path(&self) -> &str {
        &self.inner.session.search_path
    }

    /// Adds to `statement`, behind a pooler, what removes our prepared statements from the session before its next
    /// client gets it.
    pub(crate) fn forgetting(&self, statement: Sql) -> Sql {
        if !self.is_pooled() {
            return statement;
        }
        let forget = Sql::from_static(include_str!("../../../../sql/tenant-rls/forget_statements.sql"));
        Sql::join([statement, forget], ";\n")
    }

    pub(crate) fn limits(&self) -> Option<Limits> {
        self.limits
    }

    /// Closes every connection.
    pub async fn close(self) {
        // From here on the pool is closed, and gets what is given back.
        let closed = self.inner.pool.close();
        drop(self.inner.recent.remove());
        closed.await;
    }

    /// Checks that CONNECTION LIMIT leaves as many connections as a command needs at once. With fewer, the command
    /// would wait for itself.
    ///
    /// # Errors
    /// [`Error::FewConnections`]: there are fewer.
    pub fn needs_connections(&self, needed: u32) -> Result<()> {
        if self.max_connections() >= needed { Ok(()) } else { Err(self.few_connections(needed)) }
    }

    fn few_connections(&self, needed: u32) -> Error {
        Error::FewConnections { login: self.inner.session.session_user.clone(), left: self.max_connections(), needed }
    }

    /// Whether CONNECTION LIMIT leaves no connection besides those of the pool.
    pub fn connections_are_few(&self) -> bool {
        self.inner.session.connections_left.is_some_and(|left| left <= self.max_connections())
    }

    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Postgres>> {
        match self.inner.recent.take() {
            Ok(connection) => Ok(connection),
            Err(waiting) => self.of_pool(waiting).await,
        }
    }

    /// A connection that answered just now.
    pub(crate) async fn acquire_answering(&self) -> Result<PoolConnection<Postgres>> {
        self.of_pool(self.inner.recent.wait()).await
    }

    async fn of_pool(&self, _waiting: Waiting<'_>) -> Result<PoolConnection<Postgres>> {
        self.inner.pool.acquire().await.map_err(|source| match source {
            sqlx::Error::PoolTimedOut if self.connections_are_few() => self.few_connections(self.max_connections() + 1),
            source => self.refused(source),
        })
    }

    /// Takes back a connection on which no transaction is open.
    pub(crate) fn give_back(&self, connection: PoolConnection<Postgres>) {
        self.inner.recent.put(connection, || self.inner.pool.is_closed());
    }

    /// Closes the connections that are idle.
    pub(crate) async fn end_idle(&self) {
        while let Some(idle) = self.inner.recent.remove().or_else(|| self.inner.pool.try_acquire()) {
            // If the session cannot be closed in an orderly way, it is gone already.
            let _ = idle.close().await;
        }
    }

    /// Checks that what is written here is kept, and checked by foreign keys and triggers.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]: nothing can be written here. [`Error::Replica`]: foreign keys and triggers would be
    /// ignored.
    pub fn needs_writing(&self) -> Result<()> {
        let SessionFacts { read_only, in_recovery, replica, session_user, .. } = &self.inner.session;
        match (*in_recovery, *read_only, *replica) {
            (false, false, false) => Ok(()),
            (false, false, true) => Err(Error::Replica { login: session_user.clone() }),
            (standby, ..) => Err(Error::ReadOnly { login: session_user.clone(), standby }),
        }
    }

    pub(crate) fn refused(&self, source: sqlx::Error) -> Error {
        let source = ServerError::from(source);
        if source.sqlstate() == Some(TOO_MANY_CONNECTIONS) && self.inner.session.connections_left.is_some() {
            return self.few_connections(self.max_connections() + 1);
        }
        Error::Connect { target: self.inner.url.to_string(), source }
    }

    /// Opens a session outside the pool. If there is no connection left, the pool closes its idle ones first.
    pub(crate) async fn open(&self, options: &PgConnectOptions) -> Result<PgConnection> {
        let opened = match options.connect().await {
            Err(error) if ServerError::is_too_many(&error) => {
                self.end_idle().await;
                options.connect().await
            }
            opened => opened,
        };
        opened.map_err(|source| self.refused(source))
    }

    /// Options for a session outside the pool with the login's own settings, for attempts that must run as the
    /// application does.
    pub(crate) fn natural_options(&self) -> &PgConnectOptions {
        &self.inner.natural
    }

    /// The direct URL, if one was given.
    pub(super) fn direct(&self) -> Option<&Direct> {
        self.inner.direct.as_ref()
    }

    /// Options for a cancel request, which bypasses the pooler if there is a direct URL. The request itself checks that
    /// it reached the right server, because there may be no connection left to prove it.
    pub(crate) fn unproven_direct_options(&self) -> &PgConnectOptions {
        self.inner.direct.as_ref().map_or(&self.inner.options, |direct| &direct.options)
    }

    /// Whether a session outside of the pool is ours as long as it lasts, and not that of a transaction pooler.
    pub fn is_direct(&self) -> bool {
        self.inner.direct.is_some() || !self.is_pooled()
    }
}
