//! What can go wrong in an audit. Findings are no error: they stand in the report.

use tenant_rls::{Exit, TableName};

/// The result of an audit.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no, or no role sees everything ([`tenant_rls::Error::CannotSee`]).
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// To a snapshot from before, a table that was rewritten looks empty.
    #[error("{table} was created, rewritten or truncated while the audit ran, so its rows could not be counted")]
    Rewritten {
        /// The table.
        table: TableName,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Rewritten { .. } => Some("run the audit again when the migration is through".to_owned()),
        }
    }

    /// How a process that met this error ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Rewritten { .. } => Exit::Failed,
        }
    }
}
