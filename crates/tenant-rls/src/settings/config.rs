//! Finding the `tenancy.toml`: `--config`, `TENANCY_CONFIG`, else upwards to the root of the repository.

use std::path::{Path, PathBuf};

use super::{Flags, Origin, SettingsError, Sources};
use crate::Tenancy;

const NAME: &str = "tenancy.toml";

/// The file in use, if any, and what it says.
pub(super) fn load(
    flags: &Flags,
    sources: &Sources,
    app_dir: &Path,
    cwd: &Path,
) -> Result<(Option<PathBuf>, Tenancy), SettingsError> {
    let Some((path, origin)) = find(flags, sources, app_dir, cwd) else { return Ok((None, Tenancy::default())) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(SettingsError::Config { path, origin, source }),
    };
    let shown = path.strip_prefix(cwd).unwrap_or(&path);
    let tenancy = Tenancy::from_toml(&text, shown)?;
    Ok((Some(path), tenancy))
}

fn find(flags: &Flags, sources: &Sources, app_dir: &Path, cwd: &Path) -> Option<(PathBuf, Origin)> {
    if let Some(path) = &flags.config {
        return Some((cwd.join(path), Origin::Flag("--config")));
    }
    if let Some((value, origin)) = sources.variable("TENANCY_CONFIG").filter(|(value, _)| !value.is_empty()) {
        let from = if matches!(origin, Origin::EnvFile { .. }) { app_dir } else { cwd };
        return Some((from.join(value), origin));
    }
    upwards(cwd).map(|path| (path.clone(), Origin::ConfigFile(path)))
}

/// The nearest file from `cwd` up to the root of its repository; outside of one only in `cwd`, for what lies above
/// belongs to others.
fn upwards(cwd: &Path) -> Option<PathBuf> {
    let to_root = cwd.ancestors().position(|folder| folder.join(".git").exists()).unwrap_or(0);
    cwd.ancestors().take(to_root + 1).map(|folder| folder.join(NAME)).find(|path| path.is_file())
}
