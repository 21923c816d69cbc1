//! The name of this program, as its user types it.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

/// The name under which the program is installed.
pub const INSTALLED: &str = "rowfence";

/// The name inside the workspace, whose alias runs the program.
pub const WORKSPACE: &str = "cargo xtask";

/// How the user started this program: `rowfence` if that is the name of its file, `cargo xtask` otherwise.
pub fn name() -> &'static str {
    static NAME: LazyLock<&str> = LazyLock::new(|| started_as(std::env::args_os().next().as_deref()));
    *NAME
}

/// The name for the first argument that a process is given, which is the path that it was started by.
fn started_as(program: Option<&OsStr>) -> &'static str {
    match program.and_then(|path| Path::new(path).file_stem()) {
        Some(file) if file == INSTALLED => INSTALLED,
        _ => WORKSPACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_program_has_its_own_name_and_any_other_is_the_alias() {
        for (path, name) in [
            ("rowfence", "rowfence"),
            ("/usr/local/bin/rowfence", "rowfence"),
            ("rowfence.exe", "rowfence"),
            ("target/debug/xtask", "cargo xtask"),
            ("/rowfence/target/debug/xtask", "cargo xtask"),
            ("", "cargo xtask"),
        ] {
            assert_eq!(started_as(Some(OsStr::new(path))), name, "{path}");
        }
        assert_eq!(started_as(None), "cargo xtask");
    }
}
