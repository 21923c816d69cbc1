//! A database: its pool of connections, and what the session that it gives may do.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, Postgres};
use tokio::sync::OnceCell;

use tenancy_config::DatabaseUrl;

use super::options::connect_options;
use super::session::{self, CONNECT_TIMEOUT, OLDEST_SERVER, PINNED_PATH, Pooler, SearchPath, SessionFacts};
use crate::error::{Error, Result};
use crate::server_error::{ServerError, TOO_MANY_CONNECTIONS};
use crate::sql::template::Template;
use crate::sql::text::Sql;

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

struct Inner {
    pool: PgPool,
    /// As the login is by itself.
    natural: PgConnectOptions,
    /// With what our sessions begin with, where they may.
    options: PgConnectOptions,
    direct: Option<Direct>,
    url: DatabaseUrl,
    session: SessionFacts,
}

/// The same database past its pooler: so it is said, and proven before it is used.
pub(super) struct Direct {
    pub(super) url: DatabaseUrl,
    pub(super) options: PgConnectOptions,
    pub(super) proven: OnceCell<()>,
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

    /// Sets them until the transaction ends.
    fn set(self) -> Sql {
        let set = Template::new("SET LOCAL lock_timeout = :'lock'; SET LOCAL statement_timeout = :'statement'");
        let set = set.literal("lock", &milliseconds(self.lock_timeout));
        set.literal("statement", &milliseconds(self.statement_timeout)).build()
    }
}

/// Sets the search path until the transaction ends, under whatever path is set now.
pub(crate) fn set_path(path: &str) -> Sql {
    Template::new("SELECT pg_catalog.set_config('search_path', :'path', true)").literal("path", path).build()
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
        let inner = Inner { pool, natural, options: options_of_ours, direct, url: url.clone(), session };
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

    /// How many connections the pool gives at once: what was asked for, or what CONNECTION LIMIT leaves of it.
    pub fn max_connections(&self) -> u32 {
        self.inner.pool.options().get_max_connections()
    }

    /// What opens a transaction on this handle: `begin`, the path that names in it resolve to, its limits, and behind a pooler a session
    /// without a former client's statements and settings.
    pub(crate) fn opening(&self, begin: Sql, path: SearchPath) -> Sql {
        let mut parts = vec![begin];
        if self.is_pooled() {
            parts.push(session::pinned_locally(self.inner.session.server_version_num));
        }
        if let Some(limits) = self.limits {
            parts.push(limits.set());
        }
        // Last, as what forgets statements is written for the pinned path.
        let begin = self.forgetting(Sql::join(parts, "; "));
        match path {
            // Set again where the session began with it: one that was lent for longer may have another.
            SearchPath::Pinned => Sql::join([begin, set_path(PINNED_PATH)], ";\n"),
            SearchPath::Application => Sql::join([begin, set_path(&self.inner.session.search_path)], ";\n"),
        }
    }

    /// The same for an attempt as this login: its limits alone, as everything else is to be what it is for the application.
    pub(crate) fn attempting(&self, begin: Sql) -> Sql {
        self.forgetting(Sql::join([Some(begin), self.limits.map(Limits::set)].into_iter().flatten(), "; "))
    }

    /// The path that the application's own code expects: the one that this login has by itself.
    pub fn application_path(&self) -> &str {
        &self.inner.session.search_path
    }

    /// `statement`, after which behind a pooler no statement of ours is left in the session for its next client.
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

    /// Ends every connection.
    pub async fn close(self) {
        self.inner.pool.close().await;
    }

    /// Fails where CONNECTION LIMIT leaves fewer than a command needs at once: it would wait for itself.
    ///
    /// # Errors
    /// [`Error::FewConnections`].
    pub fn needs_connections(&self, needed: u32) -> Result<()> {
        if self.max_connections() >= needed { Ok(()) } else { Err(self.few_connections(needed)) }
    }

    fn few_connections(&self, needed: u32) -> Error {
        Error::FewConnections { login: self.inner.session.session_user.clone(), left: self.max_connections(), needed }
    }

    /// Whether CONNECTION LIMIT leaves no connection beside those of the pool.
    pub fn connections_are_few(&self) -> bool {
        self.inner.session.connections_left.is_some_and(|left| left <= self.max_connections())
    }

    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Postgres>> {
        self.inner.pool.acquire().await.map_err(|source| match source {
            sqlx::Error::PoolTimedOut if self.connections_are_few() => self.few_connections(self.max_connections() + 1),
            source => self.refused(source),
        })
    }

    /// Ends the connections that the pool holds and nobody uses now.
    pub(crate) async fn end_idle(&self) {
        while let Some(idle) = self.inner.pool.try_acquire() {
            // A session that cannot say goodbye is gone already.
            let _ = idle.close().await;
        }
    }

    /// Fails where nothing that is written here would be kept, or would be kept unchecked.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] or [`Error::Replica`].
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

    /// Opens a session beside the pool, which gives up the connections that it does not use now where there is no other left.
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

    /// For a session outside the pool that is as the login is by itself: for attempts as the application.
    pub(crate) fn natural_options(&self) -> &PgConnectOptions {
        &self.inner.natural
    }

    /// The same database past its pooler, where a URL was given for that.
    pub(super) fn direct(&self) -> Option<&Direct> {
        self.inner.direct.as_ref()
    }

    /// The options of a session past the pooler for a cancel request, which asks by itself whether it reached the server that it means: there may be no connection left
    /// for a proof.
    pub(crate) fn unproven_direct_options(&self) -> &PgConnectOptions {
        self.inner.direct.as_ref().map_or(&self.inner.options, |direct| &direct.options)
    }

    /// Whether sessions of [`direct_options`](Self::direct_options) are ours as long as they last.
    pub(crate) fn is_direct(&self) -> bool {
        self.inner.direct.is_some() || !self.is_pooled()
    }
}
