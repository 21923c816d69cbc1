//! Where a setting was made. Every command that writes says it first.

use std::fmt;
use std::path::PathBuf;

/// Where a setting's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SettingOrigin {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(String),
    /// A variable in one of the app's env files.
    EnvFile {
        /// The variable.
        var: String,
        /// The file, relative to the working directory if it is below that.
        path: PathBuf,
    },
    /// A `tenancy.toml`.
    ConfigFile(PathBuf),
    /// No setting: this is the project's local database.
    LocalDatabase,
}

impl SettingOrigin {
    /// How near the place is to the person who runs the command. A higher number wins.
    pub(super) fn strength(&self) -> u8 {
        match self {
            Self::Flag(_) => 3,
            Self::Environment(_) => 2,
            Self::EnvFile { .. } => 1,
            Self::ConfigFile(_) | Self::LocalDatabase => 0,
        }
    }
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => write!(f, "{variable} in the environment"),
            Self::EnvFile { var, path } => write!(f, "{var} in {}", path.display()),
            Self::ConfigFile(path) => write!(f, "{}", path.display()),
            Self::LocalDatabase => f.write_str("the project's local database"),
        }
    }
}
