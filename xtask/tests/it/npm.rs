//! Programs of Node, with packages that a committed lock file names. They are kept for the next run.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a program of Node in a folder. Its output is the error.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str], env: &[(&str, String)]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).envs(env.iter().cloned());
    // `prisma generate` downloads engines that a client with a driver adapter does not use; a file that is there replaces them.
    for engine in ["PRISMA_SCHEMA_ENGINE_BINARY", "PRISMA_QUERY_ENGINE_LIBRARY"] {
        command.env(engine, "/bin/sh");
    }
    command.env("CHECKPOINT_DISABLE", "1").env("PRISMA_HIDE_UPDATE_MESSAGE", "1");
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(format!("{program} {}:\n{said}", arguments.join(" "))) }
}

/// Copies the files of a folder, not its folders.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// A copy of a folder with its locked packages, which the next run finds again.
pub(crate) fn installed(name: &str, folders: &[PathBuf]) -> Result<PathBuf, String> {
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    folders.iter().for_each(|folder| copy(folder, fresh.path()));
    let lock = std::fs::read(fresh.path().join("package-lock.json")).unwrap();
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("client-{name}-{:016x}", hasher.finish()));
    if !kept.is_dir() {
        run(fresh.path(), "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], &[])?;
        // The folder is filled under another name, so that one of this name is complete; another process may be faster.
        let _ = std::fs::rename(fresh.path(), &kept);
    }
    // What an earlier run built might be of files that are gone.
    for made in ["src", "dist", "build", "generated"] {
        let _ = std::fs::remove_dir_all(kept.join(made));
    }
    folders.iter().for_each(|folder| copy(folder, &kept));
    Ok(kept)
}

/// What was made with npm. Without npm a line says that nothing was tried, and this is `None`; where `CI` is set, that
/// is a failure, as every other error is.
pub(crate) fn or_skipped<T>(what: &str, made: Result<T, String>) -> Option<T> {
    let error = match made {
        Ok(made) => return Some(made),
        Err(error) => error,
    };
    let has_npm = || Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(tenancy_config::environment::path("CI").is_none() && !has_npm(), "{error}");
    // Past the capture of the test harness: that nothing was tried must be seen.
    let _ = writeln!(std::io::stderr(), "SKIPPED, {what} was not tried: {error}");
    None
}
