//! Settings: which database, which `tenancy.toml`, and where each of them was set.
//!
//! A flag wins over the environment, the environment over the application's env files, and those over `tenancy.toml`.
//! This module does not read the environment of the process; it is passed in.

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
use crate::tenancy::{LoginDeclaration, Tenancy};
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
    /// The project's local database. The command starts it if necessary.
    Local,
    /// The database that a setting names.
    Url {
        /// Its URL.
        url: DatabaseUrl,
        /// Where the URL was found.
        origin: SettingOrigin,
    },
}

/// What a command does if no URL is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithoutUrl {
    /// It uses the local database.
    Local,
    /// It refuses. The local database must be asked for with `--local`.
    Nothing,
}

/// All settings, read once at the start of a command.
#[derive(Clone)]
pub struct Settings {
    database: Option<(DatabaseUrl, SettingOrigin)>,
    direct: Option<(DatabaseUrl, SettingOrigin)>,
    unused: Vec<(DatabaseUrl, SettingOrigin)>,
    local: bool,
    tls_no_verify: bool,
    app_dir: PathBuf,
    config_path: Option<PathBuf>,
    named_config: Option<PathBuf>,
    tenancy: Tenancy,
    schema_from: Option<SettingOrigin>,
    sources: Sources,
}

impl Settings {
    /// Collects the settings. `environment` looks a variable up (in the process, except in tests). Relative paths are
    /// resolved from `cwd`.
    ///
    /// # Errors
    /// [`SettingsError`]: a variable is not UTF-8, a URL is empty or unusable, no URL is given in CI, a file cannot be
    /// read or is not trusted, or `tenancy.toml` is wrong.
    pub fn load(flags: &Flags, environment: &Lookup<'_>, cwd: &Path) -> Result<Self, SettingsError> {
        let app_dir = flags.app_dir.as_ref().map_or_else(|| cwd.to_owned(), |dir| cwd.join(dir));
        if !app_dir.is_dir() {
            return Err(SettingsError::AppDir { path: app_dir });
        }
        // From the environment alone: a file must not decide whether it is trusted.
        let trust = Trust::new(environment(trust::VARIABLE)?.as_deref(), cwd);
        let files = EnvFiles::read(&app_dir, environment, &trust)?;
        let mut sources = Sources::new(environment, files, cwd)?;
        let config = config_file::load(flags, &sources, &trust, &app_dir, cwd)?;
        let names = &config.tenancy.database;
        sources.read_urls(environment, &config.tenancy)?;
        let (database, direct) =
            if flags.local { (sources.local(flags)?, None) } else { sources.urls(flags, names)? };
        let unused = sources.unused(&database, names);
        if database.is_none() && !flags.local && sources.in_ci() {
            return Err(SettingsError::NoUrlInCi);
        }
        let (local, tls_no_verify, config_path) = (flags.local, flags.tls_no_verify, config.path.clone());
        let named_config = config.named.clone();
        let (tenancy, schema_from) = schema::decide(config, [&database, &direct])?;
        Ok(Self {
            database,
            direct,
            unused,
            local,
            tls_no_verify,
            app_dir,
            config_path,
            named_config,
            tenancy,
            schema_from,
            sources,
        })
    }

    /// The database, for a command that uses the local one if no URL is given.
    pub fn database(&self) -> DatabaseChoice {
        match &self.database {
            Some((url, origin)) => DatabaseChoice::Url { url: url.clone(), origin: origin.clone() },
            None => DatabaseChoice::Local,
        }
    }

    /// The database; the command says what happens if no URL is given.
    ///
    /// # Errors
    /// [`SettingsError::NoUrl`]: there is neither a URL nor `--local`, and `default_to` is [`WithoutUrl::Nothing`].
    pub fn target(&self, default_to: WithoutUrl) -> Result<DatabaseChoice, SettingsError> {
        if default_to == WithoutUrl::Nothing && self.database.is_none() && !self.local {
            return Err(SettingsError::NoUrl);
        }
        Ok(self.database())
    }

    /// The URL of the same database without a pooler, if a setting has one.
    pub fn direct(&self) -> Option<(DatabaseUrl, SettingOrigin)> {
        self.direct.clone()
    }

    /// The URL of a declared login, if its variable has one.
    ///
    /// # Errors
    /// [`SettingsError::Url`]: it is unusable.
    pub fn login_url(
        &self,
        login: &LoginDeclaration<'_>,
    ) -> Result<Option<(DatabaseUrl, SettingOrigin)>, SettingsError> {
        self.sources.url(&login.url_variable)
    }

    /// The URLs that lead to another place than the one in use and that nothing reads, as another variable comes before
    /// them. The application may read them in another order.
    pub fn unused_urls(&self) -> &[(DatabaseUrl, SettingOrigin)] {
        &self.unused
    }

    /// Which tables, columns and roles this application has.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// The setting that names the schema of tables that are named without one; `None` if it is the default
    /// application's.
    pub fn schema_from(&self) -> Option<&SettingOrigin> {
        self.schema_from.as_ref()
    }

    /// The `tenancy.toml` in use; `None` if the default application is assumed.
    pub fn config_path(&self) -> Option<&Path> {
        self.config_path.as_deref()
    }

    /// The `tenancy.toml` that `--config` or `TENANCY_CONFIG` names. With [`Flags::config_is_new`] it may not be there yet.
    pub fn named_config(&self) -> Option<&Path> {
        self.named_config.as_deref()
    }

    /// A variable from the environment, or else from the application's env files. The value may be empty, and may be a
    /// secret.
    ///
    /// `name` must be one of the variables that some command reads, and none of those with URLs.
    pub fn env(&self, name: &str) -> Option<(String, SettingOrigin)> {
        debug_assert!(VARIABLES.contains(&name), "{name} is missing in VARIABLES");
        self.sources.variable(name)
    }

    /// Whether certificates are not verified.
    pub fn tls_no_verify(&self) -> bool {
        self.tls_no_verify
    }

    /// Where the application's env files are looked for.
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
