//! What can go wrong before or between the attempts.

use tenancy_config::tenancy::LoginPurpose;
use tenancy_config::{Exit, Hint, NameError, UserError};
use tenant_rls::{Fault, fault_of};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a verification. Of the attempts nothing stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// Attempts were to be made in another database than the one that they are prepared in.
    #[error("the application's URL leads to another database: it is {app}, and the other is {database}")]
    OtherDatabase {
        /// The database whose catalog is read, and since when its server is up.
        database: String,
        /// The application's.
        app: String,
    },
    /// The URL of a declared login is that of another login.
    #[error("the URL of {purpose} logs in as {login}, and tenancy.toml declares {declared}")]
    OtherLogin {
        /// What the declared login is for.
        purpose: LoginPurpose,
        /// The role that is declared.
        declared: String,
        /// The role of the URL.
        login: String,
    },
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) if fault_of(error) == Fault::Connection => Some(
                "nothing of the attempts was kept: run the same command again when the server answers"
                    .into(),
            ),
            Self::Database(error) => error.hint(),
            Self::OtherLogin { purpose, .. } => Some(format!("correct the URL, or `role` in [{}]", purpose.key()).into()),
            Self::OtherDatabase { .. } => Some(
                "give with --app-url how the application logs in to this very database: on the same server, not on a copy or a standby"
                    .into(),
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::OtherDatabase { .. } | Self::OtherLogin { .. } => Exit::Usage,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
