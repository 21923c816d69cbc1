//! The settings that each of our sessions begins with, and what the server says about the session: its role, its
//! rights, and whether a pooler is in between.
//!
//! Names and operators in our statements resolve to `pg_catalog`. Otherwise a role that may create functions in a
//! schema of the search path could have them run as this login. Statements that reach the application's tables run its
//! triggers, defaults, policies and index expressions, which expect the login's own search path: see [`SearchPath`].

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

/// The search path of every statement of ours that does not reach the application's tables. `pg_temp` is last, because
/// it is searched first if the path does not name it.
pub(crate) const PINNED_PATH: &str = "pg_catalog, pg_temp";

/// The oldest server that has what batches need: range scans over `ctid`.
pub(crate) const OLDEST_SERVER: i32 = 140_000;

/// A setting that the first connection begins with. If it does not arrive, there is a pooler.
const PASSED_ON: (&str, &str) = ("tenant_rls.direct", "on");

/// The SQLSTATE with which a pooler refuses settings at the start of a connection: a protocol violation.
const UNSUPPORTED_PARAMETER: &str = "08P01";

/// The settings of our sessions, whatever ALTER ROLE, ALTER DATABASE or a pooler say. The driver itself sets
/// `client_encoding`, `DateStyle` and `TimeZone`. `default_transaction_read_only` and `session_replication_role` are
/// not among them, because somebody set them for a reason.
const PINNED: [(&str, &str); 13] = [
    ("search_path", PINNED_PATH),
    // They affect how the catalog prints definitions and types, which we compare.
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    ("IntervalStyle", "postgres"),
    // By default, policies hide rows without an error. A scope that needs an error sets it to off.
    ("row_security", "on"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // The planner takes questions about the catalog for long ones, and compiling them takes longer than answering them: a fifth of `rls status`.
    ("jit", "off"),
    // Each scope sets limits of its own. A limit that was made for the application would end an audit in the middle.
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("lock_timeout", "0"),
];

/// One more setting. Servers before PostgreSQL 17 do not know it.
const PINNED_FROM_17: (&str, &str) = ("transaction_timeout", "0");

/// The search path of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchPath {
    /// `pg_catalog` only: for the catalog, the book-keeping and DDL.
    Pinned,
    /// The path that the application's own code expects. Statements that run under it write every name with its schema,
    /// also those of functions, types and operators: `OPERATOR(pg_catalog.=)`.
    Application,
}

/// Makes every session of these options begin with the pinned settings.
pub(crate) fn pinned(options: PgConnectOptions, server_version_num: i32) -> PgConnectOptions {
    options.options(settings(server_version_num))
}

/// Sets them for one transaction: behind a pooler no session is ours for longer, and none begins with settings of ours.
pub(crate) fn pinned_locally(server_version_num: i32) -> Sql {
    let set = |(name, value): (&'static str, &'static str)| {
        let template = Template::new("SET LOCAL :name = :value").fragment("name", Sql::from_static(name));
        // As a quoted literal the list would be a single name.
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

/// Whether there is a pooler between us and the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "why", rename_all = "snake_case")]
pub enum Pooler {
    /// None, as far as one can tell.
    None,
    /// A transaction pooler, and what it was recognised by.
    Suspected(String),
}

/// Tells a database from others of the same name, by what the server lets every role read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The database's oid.
    pub(crate) database_oid: i64,
    /// The time at which its server started, in UTC.
    pub(crate) server_since: String,
}

/// What a session is and may do, as the server says.
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
    /// Roles with BYPASSRLS are not filtered either.
    pub bypass_rls: bool,
    /// The server is a standby, so nothing can be written.
    pub in_recovery: bool,
    /// `default_transaction_read_only` is on.
    pub read_only: bool,
    /// `session_replication_role` is `replica`: foreign keys and triggers are ignored.
    pub replica: bool,
    /// Whether it may create schemas in this database.
    pub may_create_schema: bool,
    /// The cluster's identifier from `pg_control`, if this role may read it.
    pub system_identifier: Option<String>,
    /// Tells this database from any other of the same name.
    #[serde(skip)]
    pub(crate) place: Place,
    /// The login's own `search_path`, which the application's code expects.
    pub search_path: String,
    /// How many connections this login may still use, this one included, if `CONNECTION LIMIT` of the role or the
    /// database bounds them.
    pub connections_left: Option<u32>,
    /// Whether there is a pooler in between.
    pub pooler: Pooler,
}

/// Opens a session before there is a pool, and asks what it is and may do. A pool would try again and again to reach a
/// server that refuses, and then say only that time ran out.
pub(crate) async fn first(options: &PgConnectOptions, url: &DatabaseUrl) -> Result<(PgConnection, SessionFacts)> {
    let (mut session, passed_on) = open(options, url).await?;
    let facts = facts(&mut session, url, passed_on).await?;
    Ok((session, facts))
}

/// Opens a session, and tells whether it could be given settings at its start. A pooler refuses them or drops them.
async fn open(options: &PgConnectOptions, url: &DatabaseUrl) -> Result<(PgConnection, bool)> {
    let connect = async |options: &PgConnectOptions| {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
        connected.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(ServerError::from)
    };
    let refused = |source| Error::Connect { target: url.to_string(), source };
    if url.pooler_hint().is_none() {
        // All settings but the path: its own value is asked for.
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
    // The path comes first, in utility statements, which resolve no names: behind a pooler, the session may still have
    // the path of another client.
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

/// Sends statements as one message, in a transaction of their own, and returns their rows. Behind a pooler, a prepared
/// statement may be executed in another session than the one it was prepared in, and a setting made outside of a
/// transaction stays for the next client.
pub(crate) async fn one_message(session: &mut PgConnection, statements: Sql) -> sqlx::Result<Vec<PgRow>> {
    let message = Sql::join([Sql::from_static("BEGIN"), statements, Sql::from_static("COMMIT")], ";\n");
    sqlx::raw_sql(message).fetch_all(session).await
}

/// Closes a session that is no longer needed.
pub(crate) async fn close(session: PgConnection) {
    // If the session cannot be closed in an orderly way, it is gone already.
    let _ = session.close().await;
}
