//! Where settings come from: the command line, the environment, and the application's env files. Which of them wins is
//! decided here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::SettingsError;
use super::origin::SettingOrigin;
use crate::env_files::EnvFiles;
use crate::environment::Lookup;
use crate::tenancy::{DatabaseSection, Tenancy};
use crate::url::DatabaseUrl;

/// The variables that are read, beside those that `tenancy.toml` names for URLs. A job that needs another one adds it
/// here. `TENANT_ID` is only for the commands that seed a tenant or mint a session: anywhere else it could silently
/// narrow a repair. An architecture test checks that.
pub(super) const VARIABLES: [&str; 21] = [
    "APP_DATABASE_URL",
    "AUTH_SECRET",
    "AUTH_SECRET_1",
    "AUTH_SECRET_2",
    "AUTH_SECRET_3",
    "AUTH_TRUST_HOST",
    "AUTH_URL",
    "CI",
    "EMAIL",
    "FORCE_RLS",
    "MULTI_TENANCY_ENABLED",
    "MULTI_TENANCY_STRICT",
    "NEXTAUTH_SECRET",
    "NEXTAUTH_URL",
    "NODE_ENV",
    "RLS_ALLOW_NULL_TENANT",
    "TENANCY_CONFIG",
    "TENANCY_TRUST",
    "TENANT_ID",
    "TENANT_SLUG",
    "VERCEL",
];

/// What the command line said.
#[derive(Clone, Default)]
pub struct Flags {
    /// `--database-url`
    pub database_url: Option<String>,
    /// `--direct-url`: the same database without a pooler.
    pub direct_url: Option<String>,
    /// `--config`: the `tenancy.toml`.
    pub config: Option<PathBuf>,
    /// The `tenancy.toml` is only to be written: one that is named and is not there is no error.
    pub config_is_new: bool,
    /// `--app-dir`: where the app's env files are.
    pub app_dir: Option<PathBuf>,
    /// `--tls-no-verify`
    pub tls_no_verify: bool,
    /// `--local`; also set by every command that is only about the local database.
    pub local: bool,
}

/// The places where a variable may be set.
#[derive(Clone)]
pub(super) struct Sources {
    environment: BTreeMap<String, String>,
    files: Arc<EnvFiles>,
    cwd: PathBuf,
}

pub(super) type Found = Option<(DatabaseUrl, SettingOrigin)>;

impl Sources {
    pub(super) fn new(environment: &Lookup<'_>, files: EnvFiles, cwd: &Path) -> Result<Self, SettingsError> {
        let mut sources = Self { environment: BTreeMap::new(), files: Arc::new(files), cwd: cwd.to_owned() };
        sources.read(environment, VARIABLES)?;
        Ok(sources)
    }

    /// Reads the variables that `tenancy.toml` names for URLs.
    pub(super) fn read_urls(&mut self, environment: &Lookup<'_>, tenancy: &Tenancy) -> Result<(), SettingsError> {
        let Tenancy { database, .. } = tenancy;
        let of_logins: Vec<String> = tenancy.declared_logins().into_iter().map(|login| login.url_variable).collect();
        let names = database.url_variables.iter().chain(&database.direct_url_variables).chain(&of_logins);
        self.read(environment, names.map(String::as_str))
    }

    fn read<'a>(
        &mut self,
        environment: &Lookup<'_>,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), SettingsError> {
        for name in names {
            self.environment.extend(environment(name)?.map(|value| (name.to_owned(), value)));
        }
        Ok(())
    }

    pub(super) fn variable(&self, name: &str) -> Option<(String, SettingOrigin)> {
        if let Some(value) = self.environment.get(name) {
            return Some((value.clone(), SettingOrigin::Environment(name.to_owned())));
        }
        let (value, path) = self.files.get(name)?;
        let path = path.strip_prefix(&self.cwd).unwrap_or(path).to_owned();
        Some((value.to_owned(), SettingOrigin::EnvFile { var: name.to_owned(), path }))
    }

    /// Whether this is CI. CI systems set `CI` to some value; people unset it with `false` or `0`.
    pub(super) fn in_ci(&self) -> bool {
        self.environment.get("CI").is_some_and(|value| !matches!(value.trim(), "" | "0" | "false"))
    }

    /// The local database. No URL is read with `--local`, so that a broken URL does not stop `db up`.
    pub(super) fn local(&self, flags: &Flags) -> Result<Found, SettingsError> {
        match (&flags.database_url, &flags.direct_url) {
            (Some(_), _) => Err(SettingsError::Conflict("--local", "--database-url")),
            (_, Some(_)) => Err(SettingsError::Conflict("--local", "--direct-url")),
            (None, None) => Ok(None),
        }
    }

    /// The URL of the database and that of the same database without a pooler. `names` says in which order variables are
    /// read.
    pub(super) fn urls(&self, flags: &Flags, names: &DatabaseSection) -> Result<(Found, Found), SettingsError> {
        let given = match &flags.database_url {
            Some(text) => Some((text.clone(), SettingOrigin::Flag("--database-url"))),
            None => names.url_variables.iter().find_map(|name| self.variable(name)),
        };
        let Some(database) = given.map(parse).transpose()? else {
            return match &flags.direct_url {
                Some(_) => Err(SettingsError::OnlyDirect),
                None => Ok((None, None)),
            };
        };
        let direct = match &flags.direct_url {
            Some(text) => Some((text.clone(), SettingOrigin::Flag("--direct-url"))),
            // An empty `DIRECT_URL=`, as templates have it, means that there is none. A direct URL from a weaker place
            // than the URL of the database, such as an `.env` beside `--database-url`, is most likely that of another
            // database.
            None => names
                .direct_url_variables
                .iter()
                .filter_map(|name| self.variable(name))
                .find(|(value, origin)| !value.trim().is_empty() && origin.strength() >= database.1.strength()),
        };
        Ok((Some(database), direct.map(parse).transpose()?))
    }

    /// The URL in a variable. An empty one counts as none, as for direct URLs.
    pub(super) fn url(&self, name: &str) -> Result<Found, SettingsError> {
        self.variable(name).filter(|(value, _)| !value.trim().is_empty()).map(parse).transpose()
    }

    /// The URLs of variables that stand behind the one in use and lead to another server, port or database.
    pub(super) fn unused(&self, used: &Found, names: &DatabaseSection) -> Vec<(DatabaseUrl, SettingOrigin)> {
        let Some((used, SettingOrigin::Environment(_) | SettingOrigin::EnvFile { .. })) = used else {
            return Vec::new();
        };
        let set = names.url_variables.iter().filter_map(|name| self.variable(name));
        set.filter_map(|given| parse(given).ok()).filter(|(url, _)| url.place() != used.place()).collect()
    }
}

fn parse((text, origin): (String, SettingOrigin)) -> Result<(DatabaseUrl, SettingOrigin), SettingsError> {
    match DatabaseUrl::parse(&text) {
        Ok(url) => Ok((url, origin)),
        Err(source) => Err(SettingsError::Url { origin, source }),
    }
}
