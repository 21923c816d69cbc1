//! Settings: which database, which `tenancy.toml`, and where each of them was said.
//!
//! A flag beats the environment, the environment beats the app's env files, those beat `tenancy.toml`. Nothing here reads
//! the process's own environment: it is passed in.

mod config_file;
mod error;
mod origin;
mod schema;
mod sources;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::env_files::EnvFiles;
use crate::environment::Lookup;
use crate::tenancy::Tenancy;
use crate::trust::{self, Trust};
use crate::url::DatabaseUrl;

use sources::{Sources, VARIABLES};

pub use error::SettingsError;
pub use origin::SettingOrigin;
pub use sources::Flags;

/// Which database a command works on.
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseChoice {
    /// The project's local database, which the command starts if need be.
    Local,
    /// The one that a setting names.
    Url {
        /// Its URL.
        url: DatabaseUrl,
        /// Where the URL was found.
        origin: SettingOrigin,
    },
}

/// What a command does without any URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithoutUrl {
    /// It takes the local database.
    Local,
    /// It refuses: the local database has to be asked for with `--local`.
    Nothing,
}

/// All settings, read once at the start of a command.
#[derive(Clone)]
pub struct Settings {
    database: Option<(DatabaseUrl, SettingOrigin)>,
    direct: Option<(DatabaseUrl, SettingOrigin)>,
    local: bool,
    tls_no_verify: bool,
    app_dir: PathBuf,
    config_path: Option<PathBuf>,
    tenancy: Tenancy,
    schema_from: Option<SettingOrigin>,
    sources: Sources,
}

impl Settings {
    /// Gathers the settings. `environment` looks a variable up (in the process, except in tests); relative paths are
    /// meant from `cwd`.
    ///
    /// # Errors
    /// [`SettingsError`]: a variable that is not UTF-8, a URL that is empty or unusable, none at all in CI, a file that cannot
    /// be read or is not believed, or a wrong `tenancy.toml`.
    pub fn load(flags: &Flags, environment: &Lookup<'_>, cwd: &Path) -> Result<Self, SettingsError> {
        let app_dir = flags.app_dir.as_ref().map_or_else(|| cwd.to_owned(), |dir| cwd.join(dir));
        if !app_dir.is_dir() {
            return Err(SettingsError::AppDir { path: app_dir });
        }
        // From the environment alone: no file decides about its own trust.
        let trust = Trust::new(environment(trust::VARIABLE)?.as_deref(), cwd);
        let files = EnvFiles::read(&app_dir, environment, &trust)?;
        let sources = Sources::new(environment, files, cwd)?;
        let config = config_file::load(flags, &sources, &trust, &app_dir, cwd)?;
        let (database, direct) = if flags.local { (sources.local(flags)?, None) } else { sources.urls(flags)? };
        if database.is_none() && !flags.local && sources.in_ci() {
            return Err(SettingsError::NoUrlInCi);
        }
        let (local, tls_no_verify, config_path) = (flags.local, flags.tls_no_verify, config.path.clone());
        let (tenancy, schema_from) = schema::decide(config, [&database, &direct])?;
        Ok(Self { database, direct, local, tls_no_verify, app_dir, config_path, tenancy, schema_from, sources })
    }

    /// The database for a command that takes the local one where no URL is given.
    pub fn database(&self) -> DatabaseChoice {
        match &self.database {
            Some((url, origin)) => DatabaseChoice::Url { url: url.clone(), origin: origin.clone() },
            None => DatabaseChoice::Local,
        }
    }

    /// The database, by the command's rule for the case that no URL is given.
    ///
    /// # Errors
    /// [`SettingsError::NoUrl`] without a URL and without `--local` for [`WithoutUrl::Nothing`].
    pub fn target(&self, default_to: WithoutUrl) -> Result<DatabaseChoice, SettingsError> {
        if default_to == WithoutUrl::Nothing && self.database.is_none() && !self.local {
            return Err(SettingsError::NoUrl);
        }
        Ok(self.database())
    }

    /// The same database without a pooler between, if a setting names it.
    pub fn direct(&self) -> Option<(DatabaseUrl, SettingOrigin)> {
        self.direct.clone()
    }

    /// Which schema this is.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// Who named the schema of tables without one; where nobody did, it is the default application's.
    pub fn schema_from(&self) -> Option<&SettingOrigin> {
        self.schema_from.as_ref()
    }

    /// The `tenancy.toml` in use; without one the default application is assumed.
    pub fn config_path(&self) -> Option<&Path> {
        self.config_path.as_deref()
    }

    /// A variable from the environment, else from the app's env files. The value may be empty, and may be a secret.
    ///
    /// A variable that nothing here needs is not read, whatever its name.
    pub fn env(&self, name: &str) -> Option<(String, SettingOrigin)> {
        debug_assert!(VARIABLES.contains(&name), "{name} is missing in VARIABLES");
        self.sources.variable(name)
    }

    /// Whether certificates are left unverified.
    pub fn tls_no_verify(&self) -> bool {
        self.tls_no_verify
    }

    /// Where the app's env files are looked for.
    pub fn app_dir(&self) -> &Path {
        &self.app_dir
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Settings");
        fields.field("database", &self.database).field("direct", &self.direct).field("local", &self.local);
        fields.field("app_dir", &self.app_dir).field("config_path", &self.config_path).finish_non_exhaustive()
    }
}
