//! What can go wrong below every job, and what the user can do about it.

use tenancy_config::settings::SettingsError;
use tenancy_config::url::UrlError;
use tenancy_config::{CommandRef, Exit, Hint, NameError, TableName, UserError};

use crate::access::Obstacle;
use crate::server_error::{Fault, ServerError};
use crate::sql::quote::{Quoted, quoted_role};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error below a job. [`Error::hint`] says what to do, and [`Error::exit`] with which code the process ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database URL cannot be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A setting or `tenancy.toml` cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A name that PostgreSQL could not hold.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No connection could be made.
    #[error("cannot connect to {target}: {source}")]
    Connect {
        /// The database, without its password.
        target: String,
        /// What the server or the network said.
        source: ServerError,
    },
    /// A statement failed.
    #[error("{doing}: {source}")]
    Query {
        /// What was being done, as a phrase such as `reading the catalog`.
        doing: String,
        /// What the server said.
        source: ServerError,
    },
    /// The server is older than the versions that this workspace is tested with.
    #[error("the server is PostgreSQL {version}; this needs 14 or newer")]
    OldServer {
        /// The server's version, as the server says it.
        version: String,
    },
    /// Two URLs that should lead to one database lead to two.
    #[error("one URL leads to the database {ours}, another to {other}")]
    OtherDatabase {
        /// The database and server of the first URL.
        ours: String,
        /// The database and server of the other URL.
        other: String,
    },
    /// Tables that look like the application's, but belong to roles that are not trusted; each with its owner.
    #[error("{}; reading a table runs code that its owner put into indexes, checks and policies", strangers(.0))]
    Strangers(Vec<(TableName, String)>),
    /// Nothing can be written here.
    #[error("{}; nothing was written", read_only(.login, *.standby))]
    ReadOnly {
        /// The role that logs in.
        login: String,
        /// Whether the server is a standby. Otherwise a setting of the role or the database forbids writing.
        standby: bool,
    },
    /// Foreign keys and triggers would be ignored.
    #[error(
        "session_replication_role is replica for {login}: neither foreign keys nor triggers are heeded; nothing was written"
    )]
    Replica {
        /// The role that logs in.
        login: String,
    },
    /// `CONNECTION LIMIT` leaves fewer connections than a command needs at once.
    #[error(
        "{login} may open {left} more, as CONNECTION LIMIT of the role or of the database has it, and this needs {needed}"
    )]
    FewConnections {
        /// The role that logs in.
        login: String,
        /// How many connections it may open.
        left: u32,
        /// How many it needs at once.
        needed: u32,
    },
    /// A tenant that the tenant table does not have.
    #[error("no tenant has the id or slug `{name}`")]
    UnknownTenant {
        /// What was asked for.
        name: String,
        /// The id or slug that is nearest to it.
        closest: Option<String>,
    },
    /// The id of one tenant is the slug of another.
    #[error("`{name}` is the id of one tenant and the slug of another")]
    AmbiguousTenant {
        /// What was asked for.
        name: String,
    },
    /// A value that cannot name any tenant.
    #[error("{why}")]
    TenantId {
        /// What is wrong with it.
        why: &'static str,
    },
    /// For every role that could be used, row level security would hide rows or a right is missing.
    #[error("no role that this login may use can see every row it needs: {}", obstacles(.0))]
    CannotSee(Vec<Obstacle>),
    /// A policy ends in an error instead of an answer.
    #[error("the policy \"{policy}\" of {table} fails: {source}")]
    PolicyFails {
        /// The table.
        table: Box<TableName>,
        /// The policy.
        policy: String,
        /// What the server said.
        source: ServerError,
    },
    /// The session variable was changed inside a tenant's scope.
    #[error("the scope of tenant {expected} was left: the session variable now holds `{found}`; nothing was committed")]
    ScopeLeft {
        /// The tenant of the scope.
        expected: String,
        /// The value of the variable at commit.
        found: String,
    },
    /// A table that `tenancy.toml` or an option names has no tenant column.
    #[error("{table} has no rows of tenants: it lacks a tenant column, or it is the tenant table itself")]
    NotTenants {
        /// The table.
        table: TableName,
    },
    /// A table that `tenancy.toml` or an option names is not in this database.
    #[error("there is no table {table} in this database")]
    NoTable {
        /// The table.
        table: TableName,
        /// The table with the nearest name.
        closest: Option<String>,
    },
}

fn strangers(list: &[(TableName, String)]) -> String {
    let one = |(table, owner): &(TableName, String)| {
        format!("{table} belongs to {owner}, which owns neither the database nor its tenant table")
    };
    list.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn read_only(login: &str, standby: bool) -> String {
    if standby {
        "this server is a standby, which only reads".to_owned()
    } else {
        format!("default_transaction_read_only is on for {login} or for this database")
    }
}

fn obstacles(list: &[Obstacle]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// Wraps the error of a statement, and says what was being done.
    pub fn query(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { doing: doing.into(), source: ServerError::from(source) }
    }

    /// The SQLSTATE, if the error is from a server.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Connect { source, .. } | Self::Query { source, .. } | Self::PolicyFails { source, .. } => {
                source.sqlstate()
            }
            _ => None,
        }
    }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Url(error) => error.hint(),
            Self::Settings(error) => error.hint(),
            Self::Name(error) => error.hint(),
            Self::Connect { source, .. } | Self::Query { source, .. } => source.hint(),
            Self::OldServer { .. } => Some(
                Hint::from("upgrade the server; ")
                    .then_quoted(CommandRef::DbUpVersion { version: 18 })
                    .then(" starts a newer local one"),
            ),
            Self::OtherDatabase { .. } => Some(
                "DIRECT_URL, DATABASE_URL_UNPOOLED and NETLIFY_DATABASE_URL_UNPOOLED must lead to the database of DATABASE_URL, past its \
                 pooler: correct them, or unset those that you do not need"
                    .into(),
            ),
            Self::Strangers(list) => list.first().map(|(table, owner)| {
                format!(
                    "find out who made it: ALTER TABLE {} OWNER TO …, or drop it; where {owner} is to be relied on, tenancy.toml says so: \
                     [database] owners = [\"{owner}\"]",
                    table.quoted()
                )
                .into()
            }),
            Self::ReadOnly { standby: true, .. } => Some("use the URL of the primary".into()),
            Self::ReadOnly { login, .. } => {
                let login = quoted_role(login);
                Some(format!("use another login, or: ALTER ROLE {login} SET default_transaction_read_only = off").into())
            }
            Self::Replica { login } => {
                let login = quoted_role(login);
                Some(format!("use another login, or: ALTER ROLE {login} RESET session_replication_role").into())
            }
            Self::FewConnections { .. } => {
                Some("end sessions of this login that are not needed, or raise the limit: ALTER ROLE … CONNECTION LIMIT …".into())
            }
            Self::UnknownTenant { closest: Some(name), .. } => Some(format!("did you mean `{name}`?").into()),
            Self::NoTable { closest: Some(name), .. } => Some(format!("did you mean `{name}`?").into()),
            Self::NoTable { .. } => {
                let says = Hint::from("tenancy.toml says which tables there are; ").then_quoted(CommandRef::Doctor);
                Some(says.then(" compares"))
            }
            Self::NotTenants { .. } => Some(Hint::quoted(CommandRef::Inventory).then(" shows what each table is")),
            Self::AmbiguousTenant { .. } => Some("give the slug or id that only the tenant you mean has".into()),
            Self::CannotSee(list) => Obstacle::remedy(list),
            Self::PolicyFails { table, policy, .. } => Some(
                format!(
                    "change the policy \"{policy}\" of {table} so that it answers without its setting, such as current_setting(…, true), \
                     or drop it"
                )
                .into(),
            ),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Url(error) => error.exit(),
            Self::Settings(error) => error.exit(),
            Self::Name(error) => error.exit(),
            Self::NoTable { .. }
            | Self::NotTenants { .. }
            | Self::UnknownTenant { .. }
            | Self::AmbiguousTenant { .. }
            | Self::TenantId { .. }
            | Self::OtherDatabase { .. } => Exit::Usage,
            Self::CannotSee(_)
            | Self::PolicyFails { .. }
            | Self::ScopeLeft { .. }
            | Self::ReadOnly { .. }
            | Self::Replica { .. }
            | Self::Strangers(_) => Exit::Refused,
            _ => Exit::Failed,
        }
    }
}

/// How to react to an error of this crate.
pub fn fault_of(error: &Error) -> Fault {
    match error {
        Error::Connect { source, .. } | Error::Query { source, .. } => source.fault(),
        _ => Fault::Other,
    }
}
