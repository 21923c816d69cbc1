//! The folder that the local database belongs to.

use std::path::{Path, PathBuf};

use tenancy_config::trust;

/// Finds that folder. For `cargo xtask` it is the workspace; for the installed binary the nearest folder with a `tenancy.toml` in
/// the repository of the working folder, or else the root of that repository; outside a repository the working folder.
pub(crate) fn find(env: impl Fn(&str) -> Option<String>, cwd: &Path) -> PathBuf {
    // Cargo sets it for every program that it runs, so it counts only if it names this crate.
    let manifest = env("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| folder.ends_with("xtask"));
    if let Some(workspace) = manifest.as_deref().and_then(Path::parent) {
        return workspace.to_owned();
    }
    let marked = |folder: &&Path| folder.join("tenancy.toml").is_file();
    let root = || trust::folders_of(cwd).last();
    trust::folders_of(cwd).find(marked).or_else(root).unwrap_or(cwd).to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn under_cargo_it_is_the_workspace() {
        let env = |name: &str| (name == "CARGO_MANIFEST_DIR").then(|| "/src/tenancy/xtask".to_owned());
        assert_eq!(find(env, Path::new("/elsewhere")), Path::new("/src/tenancy"));
    }

    #[test]
    fn another_crate_that_runs_the_binary_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let env = |name: &str| (name == "CARGO_MANIFEST_DIR").then(|| "/src/other".to_owned());
        assert_eq!(find(env, folder.path()), folder.path());
    }

    #[test]
    fn the_installed_binary_looks_upwards_in_the_repository_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("repository/apps/web");
        fs::create_dir_all(&deep).unwrap();
        fs::write(folder.path().join("tenancy.toml"), "").unwrap();
        assert_eq!(find(|_| None, &deep), deep, "what lies above belongs to others");
        let repository = folder.path().join("repository");
        fs::write(repository.join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(find(|_| None, &deep), repository);
        fs::write(repository.join("apps/tenancy.toml"), "").unwrap();
        assert_eq!(find(|_| None, &deep), repository.join("apps"));
    }
}
