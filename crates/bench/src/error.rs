//! What can go wrong in a benchmark.

use std::path::PathBuf;

use tenancy_config::{Exit, Hint, NameError, UserError};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a benchmark. Its databases are removed all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused a statement.
    #[error("{0}")]
    Database(#[from] tenant_rls::Error),
    /// The data could not be planted.
    #[error("{0}")]
    Seed(#[from] local_db::Error),
    /// The job failed.
    #[error("{0}")]
    Backfill(#[from] backfill_engine::Error),
    /// The job failed.
    #[error("{0}")]
    Defaults(#[from] seed_tenant_defaults::Error),
    /// The job failed.
    #[error("{0}")]
    Rollout(#[from] rls_rollout::Error),
    /// The job failed.
    #[error("{0}")]
    Verify(#[from] rls_verify::Error),
    /// A file of the benchmark's own could not be written.
    #[error("cannot write the benchmark's files: {0}")]
    File(#[from] std::io::Error),
    /// A session could not be minted or read, or the real library could not be installed.
    #[cfg(feature = "jwt")]
    #[error(transparent)]
    Session(#[from] dev_jwt::Error),
    /// A candidate failed.
    #[error("{doing}: {why}")]
    Measure {
        /// What was being done.
        doing: String,
        /// What the candidate or the system said.
        why: String,
    },
    /// The disk would be full.
    #[error("the benchmark needs up to {needed} on the disk of {}, and {free} are free", path.display())]
    DiskSpace {
        /// What is needed.
        needed: String,
        /// What is free.
        free: String,
        /// Where the server keeps its data.
        path: PathBuf,
    },
    /// Another benchmark uses the server.
    #[error("another benchmark runs on this server")]
    Busy,
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Seed(error) => error.hint(),
            Self::Backfill(error) => error.hint(),
            Self::Defaults(error) => error.hint(),
            Self::Rollout(error) => error.hint(),
            Self::Verify(error) => error.hint(),
            #[cfg(feature = "jwt")]
            Self::Session(error) => error.hint(),
            Self::File(_) | Self::Measure { .. } => None,
            Self::DiskSpace { .. } => {
                Some("make room, or measure fewer rows: --rows, or --scale-up-to with --scale".into())
            }
            Self::Busy => Some("wait until it has ended; two at once would measure each other".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Seed(error) => error.exit(),
            Self::Backfill(error) => error.exit(),
            Self::Defaults(error) => error.exit(),
            Self::Rollout(error) => error.exit(),
            Self::Verify(error) => error.exit(),
            #[cfg(feature = "jwt")]
            Self::Session(error) => error.exit(),
            Self::DiskSpace { .. } => Exit::Refused,
            Self::File(_) | Self::Measure { .. } | Self::Busy => Exit::Failed,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}

/// A query's error, with what was being done.
pub(crate) fn query(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| tenant_rls::Error::query(doing)(error).into()
}
