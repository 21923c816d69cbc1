//! A database: its pool of connections, and what the session that it gives may do.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::session::{self, CONNECT_TIMEOUT, OLDEST_SERVER, PINNED_PATH, Pooler, SearchPath, SessionFacts};
use crate::{DatabaseUrl, Error, Result, Sql, Template, same_database};

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
            Ok(url.connect_options(options.tls_no_verify)?.application_name(&options.application_name))
        };
        let natural = with(url)?;
        let direct = options.direct.as_ref().filter(|direct| *direct != url);
        let direct = direct.map(|direct| Ok::<_, Error>((direct, with(direct)?))).transpose()?;
        let (mut first, session) = session::first(&natural, url).await?;
        let version = session.server_version_num;
        if version < OLDEST_SERVER {
            return Err(Error::OldServer { version: session.server_version });
        }
        let direct = match direct {
            None => None,
            Some((direct, options)) => {
                let options = session::pinned(options, version);
                same_database::prove_direct(&mut first, (url, &session), (direct, &options)).await?;
                Some(options)
            }
        };
        session::close(first).await;
        let pooled = session.pooler != Pooler::None;
        let natural = if pooled { natural.statement_cache_capacity(0) } else { natural };
        let options_of_ours = if pooled { natural.clone() } else { session::pinned(natural.clone(), version) };
        let most = session.connections_left.map_or(options.max_connections, |left| left.min(options.max_connections));
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(options_of_ours.clone());
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

    /// For a session outside the pool that is as the login is by itself: for attempts as the application.
    pub(crate) fn natural_options(&self) -> &PgConnectOptions {
        &self.inner.natural
    }

    /// For DDL and cancel requests: past the pooler where there is a URL for that, which leads to this very database.
    pub(crate) fn direct_options(&self) -> &PgConnectOptions {
        self.inner.direct.as_ref().unwrap_or(&self.inner.options)
    }

    /// Whether sessions of [`direct_options`](Self::direct_options) are ours as long as they last.
    pub(crate) fn is_direct(&self) -> bool {
        self.inner.direct.is_some() || !self.is_pooled()
    }
}
