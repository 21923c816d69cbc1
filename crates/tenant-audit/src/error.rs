//! What can go wrong in an audit. Findings are no error: they stand in the report.

use tenancy_config::{Exit, Hint, NameError, TableName, UserError};

/// The result of an audit.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused a statement, or no role sees everything ([`tenant_rls::Error::CannotSee`]).
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// To a snapshot from before, a table that was rewritten looks empty.
    #[error("{table} was created, rewritten or truncated while the audit ran, so its rows could not be counted")]
    Rewritten {
        /// The table.
        table: TableName,
    },
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Rewritten { .. } => Some("run the audit again when the migration is through".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Rewritten { .. } => Exit::Failed,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
