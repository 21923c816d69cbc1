//! Why logs could not be read at all.

use std::io;
use std::path::PathBuf;

use tenancy_config::{Exit, Hint, UserError};

/// An error before the first line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened.
    #[error("cannot read {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder was given.
    #[error("{0} is a folder")]
    Folder(PathBuf),
    /// An input was given twice, whose records would count twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// The messages are too many or too long to be looked for.
    #[error("the messages of [log.messages] cannot be looked for: {0}")]
    Patterns(String),
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Open { .. } => Some("name files that you may read, or - for standard input".into()),
            Self::Folder(_) => Some("name the files in it".into()),
            Self::Twice(_) => Some("name it once: its records would count twice".into()),
            Self::Patterns(_) => Some("give fewer messages, or shorter ones".into()),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
