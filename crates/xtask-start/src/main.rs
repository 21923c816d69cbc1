//! The program behind `cargo xtask`. It builds `xtask` and replaces itself with it.
//!
//! The alias cannot run `xtask` itself: with `cargo run --quiet` the first build prints nothing for minutes, and
//! without `--quiet` cargo prints the arguments, which may include a URL with its password. This crate has no
//! dependencies, so it is built at once.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, io};

/// The folder of the workspace.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            // `xtask`, which has the printer, is not there yet.
            let _ = io::Write::write_all(&mut io::stderr(), format!("error: cannot start xtask: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Builds the program and becomes it. It returns only if one of the two failed.
fn start() -> io::Result<ExitCode> {
    let own = std::env::current_exe()?;
    // The same profile and target: cargo puts all programs of the workspace into one folder.
    let program = own.with_file_name("xtask");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--package", "xtask", "--bin", "xtask"]);
    build.arg("--manifest-path").arg(Path::new(WORKSPACE).join("Cargo.toml"));
    if !takes_long(&program, &Path::new(WORKSPACE).join("Cargo.lock")) {
        build.arg("--quiet");
    }
    if !build.status()?.success() {
        // cargo has printed the reason.
        return Ok(ExitCode::FAILURE);
    }
    let mut command = Command::new(&program);
    command.args(std::env::args_os().skip(1)).env("CARGO_MANIFEST_DIR", Path::new(WORKSPACE).join("xtask"));
    Err(command.exec())
}

/// Whether this is the first build, or one that builds dependencies again. Then cargo shows its progress.
fn takes_long(program: &Path, lock: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    match (changed(program), changed(lock)) {
        (Ok(built), Ok(locked)) => built < locked,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::takes_long;

    #[test]
    fn the_first_build_and_one_after_a_change_of_dependencies_show_their_progress() {
        let folder = tempfile::tempdir().unwrap();
        let (program, lock) = (folder.path().join("xtask"), folder.path().join("Cargo.lock"));
        let at = |path, seconds| {
            File::create(path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        at(&lock, 2);
        assert!(takes_long(&program, &lock), "there is no program yet");
        at(&program, 1);
        assert!(takes_long(&program, &lock), "the lock file is newer");
        at(&program, 3);
        assert!(!takes_long(&program, &lock), "nothing to say");
    }
}
