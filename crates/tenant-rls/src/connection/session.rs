//! What every session of ours begins with, and what the server then says of it.
//!
//! Names and operators in our statements resolve to `pg_catalog`: whoever may create functions in a schema of the search path could
//! otherwise have them run as this login. Statements that reach the application's tables run code of the application - triggers,
//! defaults, policies, index expressions - which expects the path that this login has by itself: see [`SearchPath`].

use std::time::Duration;

use serde::Serialize;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row};

use tenancy_config::DatabaseUrl;

use crate::error::{Error, Result};
use crate::server_error::ServerError;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// How long to wait for a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What names resolve to in every statement of ours that does not reach the application's tables. `pg_temp` stands last, as it is
/// searched first where it does not stand at all.
pub(crate) const PINNED_PATH: &str = "pg_catalog, pg_temp";

/// The oldest server with what the batches need: range scans over `ctid`.
pub(crate) const OLDEST_SERVER: i32 = 140_000;

/// A setting that the first connection begins with, to see whether it arrives.
const PASSED_ON: (&str, &str) = ("tenant_rls.direct", "on");

/// How a pooler refuses settings at the beginning: as a violation of the protocol.
const UNSUPPORTED_PARAMETER: &str = "08P01";

/// What a session begins with, whatever ALTER ROLE, ALTER DATABASE or a pooler say. The driver itself sets `client_encoding`, `DateStyle`
/// and `TimeZone`. Not among them: `default_transaction_read_only` and `session_replication_role`, which somebody set for a reason.
const PINNED: [(&str, &str); 12] = [
    ("search_path", PINNED_PATH),
    // Read what the catalog prints of definitions and types.
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    ("IntervalStyle", "postgres"),
    // Rows are hidden by policies here, never by an error, unless a scope says otherwise.
    ("row_security", "on"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // Each scope sets the limits that fit it; a limit for the application would end an audit in its middle.
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("lock_timeout", "0"),
];

/// One more, which servers before PostgreSQL 17 do not know.
const PINNED_FROM_17: (&str, &str) = ("transaction_timeout", "0");

/// What names in a transaction resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchPath {
    /// `pg_catalog` alone: for the catalog, for book-keeping, for DDL.
    Pinned,
    /// What the application's own code expects. In statements that run under it every name is written with its schema, also those of
    /// functions, types and operators: `OPERATOR(pg_catalog.=)`.
    Application,
}

/// Lets every session of these options begin with what is pinned.
pub(crate) fn pinned(options: PgConnectOptions, server_version_num: i32) -> PgConnectOptions {
    options.options(settings(server_version_num))
}

/// The same for one transaction: behind a pooler no session is ours for longer, nor begins with settings of ours.
pub(crate) fn pinned_locally(server_version_num: i32) -> Sql {
    let set = |(name, value): (&'static str, &'static str)| {
        let template = Template::new("SET LOCAL :name = :value").fragment("name", Sql::from_static(name));
        // A list is not one literal.
        let value = if name == "search_path" { Sql::from_static(value) } else { literal(value) };
        template.fragment("value", value).build()
    };
    Sql::join(settings(server_version_num).map(set), "; ")
}

fn settings(server_version_num: i32) -> impl Iterator<Item = (&'static str, &'static str)> {
    PINNED.into_iter().chain((server_version_num >= 170_000).then_some(PINNED_FROM_17))
}

fn literal(value: &str) -> Sql {
    Template::new(":'value'").literal("value", value).build()
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

/// What tells a database from others of the same name, as far as the server tells it to every role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number in its cluster.
    pub(crate) database_oid: i64,
    /// The start of its server, UTC.
    pub(crate) server_since: String,
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
    /// `session_replication_role` is `replica`: neither foreign keys nor triggers are heeded.
    pub replica: bool,
    /// May create schemas in this database.
    pub may_create_schema: bool,
    /// The cluster's identity from `pg_control`, where this role may read it.
    pub system_identifier: Option<String>,
    /// What tells this database from any other of the same name.
    #[serde(skip)]
    pub(crate) place: Place,
    /// The `search_path` that this login has by itself, which the application's code expects.
    pub search_path: String,
    /// How many more connections this login may open, where `CONNECTION LIMIT` of the role or the database bounds them; this one counts.
    pub connections_left: Option<u32>,
    /// What stands between.
    pub pooler: Pooler,
}

/// A session of its own before there is a pool, which would try a server that refuses again and again, and say only that time ran out;
/// and what it is and may do.
pub(crate) async fn first(options: &PgConnectOptions, url: &DatabaseUrl) -> Result<(PgConnection, SessionFacts)> {
    let (mut session, passed_on) = open(options, url).await?;
    let facts = facts(&mut session, url, passed_on).await?;
    Ok((session, facts))
}

/// A session, and whether it was let begin with a setting. A pooler refuses that, or leaves it out.
async fn open(options: &PgConnectOptions, url: &DatabaseUrl) -> Result<(PgConnection, bool)> {
    let connect = async |options: &PgConnectOptions| {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
        connected.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(ServerError::from)
    };
    let refused = |source| Error::Connect { target: url.to_string(), source };
    if url.pooler_hint().is_none() {
        // All but the path, which is asked for.
        let settings = settings(OLDEST_SERVER).filter(|(name, _)| *name != "search_path").chain([PASSED_ON]);
        match connect(&options.clone().options(settings)).await {
            Ok(session) => return Ok((session, true)),
            Err(error) if error.sqlstate() == Some(UNSUPPORTED_PARAMETER) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok((connect(options).await.map_err(refused)?, false))
}

async fn facts(session: &mut PgConnection, url: &DatabaseUrl, passed_on: bool) -> Result<SessionFacts> {
    let doing = || Error::query("asking the server what this session may do");
    let question = Sql::from_static(include_str!("../../../../sql/tenant-rls/session_facts.sql"));
    // The path first, as utility statements, which resolve no names: what another client left in a session of a pooler is not this login's.
    let path = Sql::from_static("SET LOCAL search_path TO DEFAULT; SHOW search_path");
    let question = [path, pinned_locally(OLDEST_SERVER), question];
    let answers = one_message(session, Sql::join(question, ";\n")).await.map_err(doing())?;
    let [path, row] = answers.as_slice() else { return Err(doing()(sqlx::Error::RowNotFound)) };
    let identifier = if row.get("may_read_control") {
        let ask = Sql::from_static("SELECT system_identifier::text AS system_identifier FROM pg_control_system()");
        let answer = one_message(session, Sql::join([pinned_locally(OLDEST_SERVER), ask], ";\n")).await;
        answer.map_err(Error::query("reading the cluster's identity"))?.first().map(|row| row.get("system_identifier"))
    } else {
        None
    };
    let pooler = match url.pooler_hint() {
        Some(why) => Pooler::Suspected(why.to_owned()),
        None if passed_on && row.get("passed_on") => Pooler::None,
        None => Pooler::Suspected("a setting at the beginning of a connection does not reach the server".to_owned()),
    };
    Ok(SessionFacts {
        server_version_num: row.get("server_version_num"),
        server_version: row.get("server_version"),
        database: row.get("database"),
        role: row.get("role"),
        session_user: row.get("session_user"),
        superuser: row.get("superuser"),
        bypass_rls: row.get("bypass_rls"),
        in_recovery: row.get("in_recovery"),
        read_only: row.get("read_only"),
        replica: row.get("replica"),
        may_create_schema: row.get("may_create_schema"),
        system_identifier: identifier,
        place: Place { database_oid: row.get("database_oid"), server_since: row.get("server_since") },
        search_path: path.get("search_path"),
        connections_left: row.get::<Option<i64>, _>("connections_left").map(|left| left.max(1) as u32),
        pooler,
    })
}

/// The rows of statements that are sent as one message, in a transaction of their own: behind a pooler a statement that is prepared first
/// may be executed in another session, and what is set outside of a transaction stays for the next client.
pub(crate) async fn one_message(session: &mut PgConnection, statements: Sql) -> sqlx::Result<Vec<PgRow>> {
    let message = Sql::join([Sql::from_static("BEGIN"), statements, Sql::from_static("COMMIT")], ";\n");
    sqlx::raw_sql(message).fetch_all(session).await
}

/// Ends a session that is no longer needed.
pub(crate) async fn close(session: PgConnection) {
    // A session that cannot say goodbye is gone already.
    let _ = session.close().await;
}
