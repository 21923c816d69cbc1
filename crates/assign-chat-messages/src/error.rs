//! What can go wrong before the engine begins, and its own errors.

use tenancy_config::{Exit, Hint, NameError, UserError};
use tenant_rls::Tenant;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends the job. What was committed before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused a statement, or there is no such tenant.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// The engine refused, or failed.
    #[error(transparent)]
    Backfill(#[from] backfill_engine::Error),
    /// The one tenant for all messages is not in use.
    #[error("tenant {} ({}) is {}; it was given no messages", .0.id, .0.name, .0.status.as_deref().unwrap_or("not active"))]
    Inactive(Box<Tenant>),
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(tenant_rls::Error::UnknownTenant { closest: None, .. }) => {
                Some("--tenant names it, by its id or its slug".into())
            }
            Self::Database(error) => error.hint(),
            Self::Backfill(error) => error.hint(),
            Self::Inactive(_) => {
                Some("name another with --tenant; --include-inactive gives it the messages all the same".into())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Backfill(error) => error.exit(),
            Self::Inactive(_) => Exit::Refused,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
