//! Where a setting was said: every write begins by telling it.

use std::fmt;
use std::path::PathBuf;

/// Where a setting's value came from.
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
        /// The file, from the working directory where it lies below that.
        path: PathBuf,
    },
    /// A `tenancy.toml`.
    ConfigFile(PathBuf),
    /// No setting: the project's local database.
    LocalDatabase,
}

impl SettingOrigin {
    /// A stronger place is nearer to the person who runs the command.
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
