//! What can be wrong with the settings, and what the user can do about it.

use std::io;
use std::path::PathBuf;

use super::origin::SettingOrigin;
use crate::command_ref::CommandRef;
use crate::environment::NotText;
use crate::hint::Hint;
use crate::tenancy::TenancyError;
use crate::trust::Untrusted;
use crate::url::UrlError;
use crate::user_error::{Exit, UserError};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A setting should be a URL and is not one that can be used.
    #[error("{origin}: {source}")]
    Url {
        /// Where it was given.
        origin: SettingOrigin,
        /// What is wrong with it.
        source: UrlError,
    },
    /// There is no URL, and this is CI: a secret that is not set must not lead to a green run on an empty database.
    #[error("this runs in CI, and no database URL is set")]
    NoUrlInCi,
    /// There is no URL, and the command has no default.
    #[error("this command changes policies: it needs a database URL, or --local")]
    NoUrl,
    /// There is a direct URL, but no URL of the database itself.
    #[error("--direct-url is given without a database URL")]
    OnlyDirect,
    /// Two flags that exclude each other.
    #[error("{0} and {1} exclude each other")]
    Conflict(&'static str, &'static str),
    /// `--app-dir` is not a folder.
    #[error("there is no folder {}", path.display())]
    AppDir {
        /// The folder.
        path: PathBuf,
    },
    /// A variable is not UTF-8 text.
    #[error(transparent)]
    Variable(#[from] NotText),
    /// Other users could have written a file.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// An env file exists and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    EnvFile {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The `tenancy.toml` that was asked for cannot be read.
    #[error("cannot read {} ({origin}): {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Where it was asked for.
        origin: SettingOrigin,
        /// The error of the system.
        source: io::Error,
    },
    /// Two settings name different schemas for the application's tables.
    #[error("{} names the schema `{}` (?schema=), and {} the schema `{}`", .0[0].1, .0[0].0, .0[1].1, .0[1].0)]
    Schemas(
        /// The two schemas, each with the setting that names it.
        Box<[(String, SettingOrigin); 2]>,
    ),
    /// The `tenancy.toml` is wrong.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl UserError for SettingsError {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Url { origin: SettingOrigin::Flag(_), source: UrlError::Empty } => {
                Some("the flag's value is empty: check that the variable it comes from is set, or give --local for the local database".into())
            }
            Self::Url { source, .. } => source.hint(),
            Self::NoUrlInCi => Some("set DATABASE_URL, or say --local to use a local database on purpose".into()),
            Self::NoUrl | Self::OnlyDirect => Some("set DATABASE_URL, or give --database-url".into()),
            Self::AppDir { .. } => Some("--app-dir names the folder with the app's .env files".into()),
            Self::EnvFile { source, .. } | Self::Config { source, .. }
                if source.kind() == io::ErrorKind::InvalidData =>
            {
                Some("save the file as UTF-8".into())
            }
            Self::EnvFile { path, source } if source.kind() == io::ErrorKind::IsADirectory => Some(
                format!("remove the folder {}, or name the application's folder with --app-dir", path.display()).into(),
            ),
            Self::Variable(error) => error.hint(),
            Self::Untrusted(error) => error.hint(),
            Self::Config { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some(Hint::quoted(CommandRef::Init).then(" writes one from a database's catalog"))
            }
            Self::Tenancy(error) => error.hint(),
            Self::Schemas(_) => {
                Some("the application's tables stand in one of them: name that one in both places".into())
            }
            Self::Conflict(..) | Self::EnvFile { .. } | Self::Config { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Url { source, .. } => source.exit(),
            Self::Tenancy(error) => error.exit(),
            Self::Untrusted(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}
