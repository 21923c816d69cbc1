//! What can go wrong before there is a prediction.

use tenancy_config::{Exit, Hint, NameError, UserError};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a prediction. Nothing of it stays in the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// What the rollout would do could not be found out.
    #[error(transparent)]
    Rollout(#[from] rls_rollout::Error),
    /// Statements were to be planned in another database than the one whose catalog is read.
    #[error("the application's URL leads to another database: it is {app}, and the other is {database}")]
    OtherDatabase {
        /// The database whose catalog is read, and since when its server is up.
        database: String,
        /// The application's.
        app: String,
    },
    /// A trial as a superuser: planning calls functions that are IMMUTABLE, and these could go back to the superuser.
    #[error("{login} is a superuser, whom code that the statements call could become; nothing was tried")]
    Superuser {
        /// The login.
        login: String,
    },
    /// A trial as a login that no policy filters, and that may not act as the application's.
    #[error("no policy filters {login}, and it may not act as {role}: nothing can be planned behind policies")]
    Unfiltered {
        /// The login.
        login: String,
        /// The application's.
        role: String,
    },
    /// The database has no statistics of its statements.
    #[error("this database has no pg_stat_statements, which would tell its statements")]
    NoStatistics,
    /// The statistics are there, and this login may not read them.
    #[error("the texts of the {statements} statements in pg_stat_statements are hidden from {login}")]
    HiddenStatistics {
        /// How many.
        statements: usize,
        /// The login.
        login: String,
    },
    /// The statistics could not be read.
    #[error("pg_stat_statements could not be read: {0}")]
    Statistics(tenant_rls::Error),
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Rollout(error) => error.hint(),
            Self::OtherDatabase { .. } => {
                Some("give with --app-url how the application logs in to this very database".into())
            }
            Self::Superuser { .. } => Some(
                "log in as the owner of the tables; or, if nobody else could have made what the statements call, give --trust-statements"
                    .into(),
            ),
            Self::Unfiltered { login, role } => {
                let (login, role) = (tenant_rls::quoted_role(login), tenant_rls::quoted_role(role));
                Some(format!("GRANT {role} TO {login}, for as long as this is tried").into())
            }
            Self::NoStatistics => Some(
                "give a file with --statements; or set shared_preload_libraries = 'pg_stat_statements', restart the server, run CREATE EXTENSION \
                 pg_stat_statements, and let the application work for a while"
                    .into(),
            ),
            Self::HiddenStatistics { .. } => Some(
                "make the login a member of pg_read_all_stats, or give with --app-url the application's, which may read its own statements".into(),
            ),
            Self::Statistics(_) => {
                Some("is pg_stat_statements in shared_preload_libraries? A file can be given with --statements instead".into())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Rollout(error) => error.exit(),
            Self::OtherDatabase { .. } => Exit::Usage,
            Self::Superuser { .. } | Self::Unfiltered { .. } => Exit::Refused,
            Self::NoStatistics | Self::HiddenStatistics { .. } | Self::Statistics(_) => Exit::Failed,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
