//! The one place that reads this process's environment; `clippy.toml` forbids it elsewhere.
//!
//! A variable whose value is not UTF-8 is an error and never counts as unset: without `DATABASE_URL` a command would
//! write to the local database, and without `CI` an audit of nothing would be green.
#![allow(clippy::disallowed_methods)] // this file is the replacement that the ban names

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::hint::Hint;
use crate::user_error::{Exit, UserError};

/// Variables that are read where no error can be returned. [`check`] checks them before a command begins.
const CHECKED: [&str; 10] = [
    "CARGO_MANIFEST_DIR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "GITHUB_ACTIONS",
    "GITHUB_ACTOR",
    "HOSTNAME",
    "LOGNAME",
    "NO_COLOR",
    "TERM",
    "USER",
];

/// A variable whose value is not UTF-8 text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable} is not UTF-8")]
pub struct NotText {
    /// Its name.
    pub variable: String,
}

impl UserError for NotText {
    fn hint(&self) -> Option<Hint> {
        Some(format!("set {} to UTF-8 text, or unset it", self.variable).into())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Looks a variable up: in the process, or in what a test provides.
pub type Lookup<'a> = dyn Fn(&str) -> Result<Option<String>, NotText> + 'a;

/// The value of a variable, which may be empty.
///
/// # Errors
/// [`NotText`]: the value is not UTF-8.
pub fn text(name: &str) -> Result<Option<String>, NotText> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(NotText { variable: name.to_owned() }),
    }
}

/// The value of a variable that [`check`] has checked.
pub fn checked(name: &str) -> Option<String> {
    debug_assert!(CHECKED.contains(&name), "{name} is missing in CHECKED");
    text(name).ok().flatten()
}

/// The value of a variable with a path or a list of paths, which need not be UTF-8. An empty value counts as unset.
pub fn path(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The folders in `PATH`.
pub fn program_folders() -> Vec<PathBuf> {
    path("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// Checks the variables that are read later without an error: they say who runs this, on which host, and with which
/// colours.
///
/// # Errors
/// [`NotText`]: one of these variables is not UTF-8; the error names the first.
pub fn check() -> Result<(), NotText> {
    CHECKED.into_iter().try_for_each(|name| text(name).map(drop))
}

/// All variables that are set, for a program that must find what this one found.
pub fn all() -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os()
}

/// Removes the variables that libpq reads from a program's environment, so that the program connects where its
/// arguments say.
pub fn strip(command: &mut Command) {
    for name in of_libpq() {
        command.env_remove(name);
    }
}

/// If a variable is set that libpq would read, starts this program again without all of them. sqlx reads them too, and
/// no setting of ours takes back what it has read from `PGOPTIONS` or `PGSSLROOTCERT`. Call this before anything else.
///
/// # Errors
/// The program cannot be started again. If it can, this does not return.
pub fn shed() -> io::Result<()> {
    if of_libpq().is_empty() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let mut anew = Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        anew.arg0(name);
    }
    strip(anew.args(arguments));
    Err(anew.exec())
}

/// The first variable that is set and from which sqlx would read an option or a certificate.
pub fn beyond_the_url() -> Option<&'static str> {
    ["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"].into_iter().find(|name| env::var_os(name).is_some())
}

/// The variables that are set and from which libpq, its programs or sqlx would read a server, a login or an option.
fn of_libpq() -> Vec<OsString> {
    env::vars_os().map(|(name, _)| name).filter(|name| is_libpqs(name)).collect()
}

/// libpq's names begin with `PG` and a letter, such as `PGHOST` and `PGSYSCONFDIR`. `PG_BIN` and `PG_VERSION` are ours.
fn is_libpqs(name: &OsStr) -> bool {
    name.as_encoded_bytes().strip_prefix(b"PG").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libpq_reads_is_told_from_what_is_ours() {
        for name in ["PGHOST", "PGHOSTADDR", "PGSERVICE", "PGOPTIONS", "PGSSLMODE", "PGPASSFILE", "PGSYSCONFDIR"] {
            assert!(is_libpqs(OsStr::new(name)), "{name}");
        }
        for name in ["PG_BIN", "PG_VERSION", "PATH", "PG"] {
            assert!(!is_libpqs(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_program_that_is_started_finds_none_of_what_libpq_reads() {
        const NAME: &str = "environment::tests::a_program_that_is_started_finds_none_of_what_libpq_reads";
        if path("PGSERVICE").is_none() {
            // In a process of its own, because all tests share the environment of this one.
            let mut child = Command::new(env::current_exe().unwrap());
            let output = child.args(["--exact", NAME]).env("PGSERVICE", "x").env("PG_BIN", "kept").output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
            return;
        }
        let mut program = Command::new("env");
        strip(&mut program);
        let found = String::from_utf8(program.output().unwrap().stdout).unwrap();
        assert!(!found.contains("PGSERVICE") && found.contains("PG_BIN=kept"), "{found}");
    }

    #[test]
    fn an_unset_variable_is_unset_and_a_set_one_is_read() {
        assert_eq!(text("NO_SUCH_VARIABLE_IS_SET"), Ok(None));
        assert!(text("CARGO_MANIFEST_DIR").unwrap().is_some_and(|folder| folder.ends_with("tenancy-config")));
    }
}
