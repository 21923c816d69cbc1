//! Finds `tenancy.toml`: by `--config`, by `TENANCY_CONFIG`, or upwards from the working folder to the root of the
//! repository.

use std::path::{Path, PathBuf};

use super::error::SettingsError;
use super::origin::SettingOrigin;
use super::sources::{Flags, Sources};
use crate::tenancy::{self, Tenancy};
use crate::trust::{self, ReadError, Trust};

const NAME: &str = "tenancy.toml";

/// The file in use, if there is one, and its content.
pub(super) struct Config {
    pub(super) path: Option<PathBuf>,
    /// The file that `--config` or `TENANCY_CONFIG` names, which may not be there yet.
    pub(super) named: Option<PathBuf>,
    pub(super) tenancy: Tenancy,
    /// Whether the file itself names the schema of tables that are named without one.
    pub(super) names_schema: bool,
}

/// Reads the file in use. Without a file, the default application is assumed.
pub(super) fn load(
    flags: &Flags,
    sources: &Sources,
    trust: &Trust,
    app_dir: &Path,
    cwd: &Path,
) -> Result<Config, SettingsError> {
    let Some((path, origin)) = find(flags, sources, app_dir, cwd) else {
        return Ok(Config { path: None, named: None, tenancy: Tenancy::default(), names_schema: false });
    };
    let named = (!matches!(origin, SettingOrigin::ConfigFile(_))).then(|| path.clone());
    let text = match trust.read(&path) {
        Ok(Some(text)) => text,
        Ok(None) if flags.config_is_new && named.is_some() => {
            return Ok(Config { path: None, named, tenancy: Tenancy::default(), names_schema: false });
        }
        Ok(None) => return Err(SettingsError::Config { path, origin, source: rustix::io::Errno::NOENT.into() }),
        Err(ReadError::Untrusted(untrusted)) => return Err(SettingsError::Untrusted(untrusted)),
        Err(ReadError::Io(source)) => return Err(SettingsError::Config { path, origin, source }),
    };
    let shown = path.strip_prefix(cwd).unwrap_or(&path);
    let tenancy = Tenancy::from_toml(&text, shown)?;
    Ok(Config { path: Some(path), named, tenancy, names_schema: tenancy::names_schema(&text) })
}

fn find(flags: &Flags, sources: &Sources, app_dir: &Path, cwd: &Path) -> Option<(PathBuf, SettingOrigin)> {
    if let Some(path) = &flags.config {
        return Some((cwd.join(path), SettingOrigin::Flag("--config")));
    }
    if let Some((value, origin)) = sources.variable("TENANCY_CONFIG").filter(|(value, _)| !value.is_empty()) {
        let from = if matches!(origin, SettingOrigin::EnvFile { .. }) { app_dir } else { cwd };
        return Some((from.join(value), origin));
    }
    upwards(cwd).map(|path| (path.clone(), SettingOrigin::ConfigFile(path)))
}

/// The nearest `tenancy.toml` in the repository of the working folder. Anything with that name is taken; if it cannot
/// be read, that is an error.
fn upwards(cwd: &Path) -> Option<PathBuf> {
    trust::folders_of(cwd).map(|folder| folder.join(NAME)).find(|path| path.symlink_metadata().is_ok())
}
