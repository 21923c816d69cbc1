//! Settings: which database, which `tenancy.toml`, and where each of them was said.
//!
//! A flag beats the environment, the environment beats the app's env files, those beat `tenancy.toml`. Nothing here reads
//! the process's own environment: it is passed in.

mod config;
mod error;
mod origin;
mod schema;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::env_files::EnvFiles;
use crate::environment::Lookup;
use crate::trust::{self, Trust};
use crate::{DatabaseUrl, Tenancy};

pub use error::SettingsError;
pub use origin::Origin;

/// Variables with the database's URL, the first that is set counts.
const DATABASE: [&str; 2] = ["DATABASE_URL", "NETLIFY_DATABASE_URL"];
/// Variables with the URL of the same database without a pooler between.
const DIRECT: [&str; 3] = ["DIRECT_URL", "DATABASE_URL_UNPOOLED", "NETLIFY_DATABASE_URL_UNPOOLED"];

/// The variables that are read. A job that needs another one adds it here. `TENANT_ID` is for the commands that seed a
/// tenant and mint a session: anywhere else it could silently narrow a repair, and an architecture test says so.
const VARIABLES: [&str; 21] = [
    "APP_DATABASE_URL",
    "AUTH_SECRET",
    "AUTH_URL",
    "CI",
    "DATABASE_URL",
    "DATABASE_URL_UNPOOLED",
    "DIRECT_URL",
    "EMAIL",
    "FORCE_RLS",
    "MULTI_TENANCY_ENABLED",
    "MULTI_TENANCY_STRICT",
    "NETLIFY_DATABASE_URL",
    "NETLIFY_DATABASE_URL_UNPOOLED",
    "NEXTAUTH_SECRET",
    "NEXTAUTH_URL",
    "NODE_ENV",
    "RLS_ALLOW_NULL_TENANT",
    "TENANCY_CONFIG",
    "TENANCY_TRUST",
    "TENANT_ID",
    "TENANT_SLUG",
];

/// What the command line said.
#[derive(Clone, Default)]
pub struct Flags {
    /// `--database-url`
    pub database_url: Option<String>,
    /// `--direct-url`: the same database, without a pooler between.
    pub direct_url: Option<String>,
    /// `--config`: the `tenancy.toml`.
    pub config: Option<PathBuf>,
    /// `--app-dir`: where the app's env files are.
    pub app_dir: Option<PathBuf>,
    /// `--tls-no-verify`
    pub tls_no_verify: bool,
    /// `--local`, and every command that is about nothing but the local database.
    pub local: bool,
}

/// Which database a command works on.
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The project's local database, which the command starts if need be.
    Local,
    /// The one that a setting names.
    Url {
        /// Its URL.
        url: DatabaseUrl,
        /// Where the URL was found.
        origin: Origin,
    },
}

/// What a command does without any URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DefaultTo {
    /// It takes the local database.
    Local,
    /// It refuses: the local database has to be asked for with `--local`.
    Nothing,
}

/// All settings, read once at the start of a command.
#[derive(Clone)]
pub struct Settings {
    database: Option<(DatabaseUrl, Origin)>,
    direct: Option<(DatabaseUrl, Origin)>,
    local: bool,
    tls_no_verify: bool,
    app_dir: PathBuf,
    config_path: Option<PathBuf>,
    tenancy: Tenancy,
    schema_from: Option<Origin>,
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
        let config = config::load(flags, &sources, &trust, &app_dir, cwd)?;
        let (database, direct) = if flags.local { (sources.local(flags)?, None) } else { sources.urls(flags)? };
        if database.is_none() && !flags.local && sources.in_ci() {
            return Err(SettingsError::NoUrlInCi);
        }
        let (local, tls_no_verify, config_path) = (flags.local, flags.tls_no_verify, config.path.clone());
        let (tenancy, schema_from) = schema::decide(config, [&database, &direct])?;
        Ok(Self { database, direct, local, tls_no_verify, app_dir, config_path, tenancy, schema_from, sources })
    }

    /// The database for a command that takes the local one where no URL is given.
    pub fn database(&self) -> Target {
        match &self.database {
            Some((url, origin)) => Target::Url { url: url.clone(), origin: origin.clone() },
            None => Target::Local,
        }
    }

    /// The database, by the command's rule for the case that no URL is given.
    ///
    /// # Errors
    /// [`SettingsError::NoUrl`] without a URL and without `--local` for [`DefaultTo::Nothing`].
    pub fn target(&self, default_to: DefaultTo) -> Result<Target, SettingsError> {
        if default_to == DefaultTo::Nothing && self.database.is_none() && !self.local {
            return Err(SettingsError::NoUrl);
        }
        Ok(self.database())
    }

    /// The same database without a pooler between, if a setting names it.
    pub fn direct(&self) -> Option<(DatabaseUrl, Origin)> {
        self.direct.clone()
    }

    /// Which schema this is.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// Who named the schema of tables without one; where nobody did, it is the default application's.
    pub fn schema_from(&self) -> Option<&Origin> {
        self.schema_from.as_ref()
    }

    /// The `tenancy.toml` in use; without one the default application is assumed.
    pub fn config_path(&self) -> Option<&Path> {
        self.config_path.as_deref()
    }

    /// A variable from the environment, else from the app's env files. The value may be empty, and may be a secret.
    ///
    /// A variable that nothing here needs is not read, whatever its name.
    pub fn env(&self, name: &str) -> Option<(String, Origin)> {
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

/// The places that a variable may be set in.
#[derive(Clone)]
struct Sources {
    environment: BTreeMap<&'static str, String>,
    files: Arc<EnvFiles>,
    cwd: PathBuf,
}

type Found = Option<(DatabaseUrl, Origin)>;

impl Sources {
    fn new(environment: &Lookup<'_>, files: EnvFiles, cwd: &Path) -> Result<Self, SettingsError> {
        let mut known = BTreeMap::new();
        for name in VARIABLES {
            known.extend(environment(name)?.map(|value| (name, value)));
        }
        Ok(Self { environment: known, files: Arc::new(files), cwd: cwd.to_owned() })
    }

    fn variable(&self, name: &str) -> Option<(String, Origin)> {
        if let Some(value) = self.environment.get(name) {
            return Some((value.clone(), Origin::Environment(name.to_owned())));
        }
        let (value, path) = self.files.get(name)?;
        let path = path.strip_prefix(&self.cwd).unwrap_or(path).to_owned();
        Some((value.to_owned(), Origin::EnvFile { var: name.to_owned(), path }))
    }

    /// CI systems set `CI` to something; `false` and `0` are how people unset it.
    fn in_ci(&self) -> bool {
        self.environment.get("CI").is_some_and(|value| !matches!(value.trim(), "" | "0" | "false"))
    }

    /// With `--local` no URL is looked at, so that a broken one does not stand in the way of `db up`.
    fn local(&self, flags: &Flags) -> Result<Found, SettingsError> {
        match (&flags.database_url, &flags.direct_url) {
            (Some(_), _) => Err(SettingsError::Conflict("--local", "--database-url")),
            (_, Some(_)) => Err(SettingsError::Conflict("--local", "--direct-url")),
            (None, None) => Ok(None),
        }
    }

    fn urls(&self, flags: &Flags) -> Result<(Found, Found), SettingsError> {
        let given = match &flags.database_url {
            Some(text) => Some((text.clone(), Origin::Flag("--database-url"))),
            None => DATABASE.iter().find_map(|name| self.variable(name)),
        };
        let Some(database) = given.map(parse).transpose()? else {
            return match &flags.direct_url {
                Some(_) => Err(SettingsError::OnlyDirect),
                None => Ok((None, None)),
            };
        };
        let direct = match &flags.direct_url {
            Some(text) => Some((text.clone(), Origin::Flag("--direct-url"))),
            // A template's `DIRECT_URL=` means that there is none. And one from a weaker place than the database's own
            // URL, as an `.env` beside an explicit `--database-url`, is most likely that of another database.
            None => DIRECT
                .iter()
                .filter_map(|name| self.variable(name))
                .find(|(value, origin)| !value.trim().is_empty() && origin.strength() >= database.1.strength()),
        };
        Ok((Some(database), direct.map(parse).transpose()?))
    }
}

fn parse((text, origin): (String, Origin)) -> Result<(DatabaseUrl, Origin), SettingsError> {
    match DatabaseUrl::parse(&text) {
        Ok(url) => Ok((url, origin)),
        Err(source) => Err(SettingsError::Url { origin, source }),
    }
}
