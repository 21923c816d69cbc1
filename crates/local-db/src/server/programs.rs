//! Finds the server programs `initdb`, `pg_ctl` and `postgres`: in the folder that was named, or among the installed
//! ones, or else in the npm package.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tenancy_config::environment;

use crate::error::{Error, Result};
use crate::server::account::{Account, run};
use crate::server::npm;
use crate::versions::{NEWEST, OLDEST};

const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// The server programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    bin: PathBuf,
    major: u32,
}

/// Which programs to look for.
#[derive(Debug, Clone, Default)]
pub struct ProgramRequest {
    /// Their folder (`--pg-bin`, `PG_BIN`).
    pub bin: Option<PathBuf>,
    /// Their major version, and who asked for it.
    pub version: Option<(u32, String)>,
}

impl Programs {
    /// Programs that were found before.
    pub fn known(bin: &Path, major: u32) -> Self {
        Self { bin: bin.to_owned(), major }
    }

    /// Their folder.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The major version, such as 18.
    pub fn major(&self) -> u32 {
        self.major
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// Finds programs in the folder that was named, or else among the installed ones; the newest if no version was
    /// asked for. `None` if there are none: then npm can [`bring`](Self::bring) them.
    pub(crate) async fn find(request: &ProgramRequest, account: Account) -> Result<Option<Self>> {
        let version = request.version.as_ref().map(|(version, _)| *version);
        if let Some(version) = version.filter(|v| !(OLDEST..=NEWEST).contains(v)) {
            return Err(Error::UnsupportedVersion(version));
        }
        if let Some(bin) = &request.bin {
            return Self::named(bin, request, account).await.map(Some);
        }
        Ok(newest(installed(account).await, version))
    }

    /// Has npm install the programs into a folder that the server's user can enter.
    pub(crate) async fn bring(
        request: &ProgramRequest,
        account: Account,
        folder: &Path,
        notes: &mut dyn FnMut(&str),
    ) -> Result<Self> {
        let version = request.version.as_ref().map(|(version, _)| *version);
        let brought = npm::bring(version.unwrap_or(NEWEST), folder, notes).await;
        let bin = brought.map_err(|reason| Error::NoPrograms { version, reason })?;
        Self::at(&bin, account).await
    }

    /// The programs in a folder that the user named.
    async fn named(bin: &Path, request: &ProgramRequest, account: Account) -> Result<Self> {
        let missing: Vec<_> = NEEDED.into_iter().filter(|name| !bin.join(name).is_file()).collect();
        if !missing.is_empty() {
            return Err(Error::NotPrograms { path: bin.to_owned(), missing: missing.join(", ") });
        }
        let programs = Self::at(bin, account).await?;
        match &request.version {
            Some((asked, why)) if *asked != programs.major => Err(Error::WrongPrograms {
                path: bin.to_owned(),
                found: programs.major,
                asked: *asked,
                why: why.clone(),
            }),
            _ if programs.major < OLDEST => Err(Error::UnsupportedVersion(programs.major)),
            _ => Ok(programs),
        }
    }

    /// The programs in a folder. They are asked for their version, which proves that the server's user can run them.
    pub(crate) async fn at(bin: &Path, account: Account) -> Result<Self> {
        let bin = std::path::absolute(bin).map_err(Error::file("finding", bin))?;
        let postgres = bin.join("postgres");
        let said = run("postgres", account.command(&postgres).arg("--version")).await?;
        let major = major(&said).ok_or_else(|| Error::Program {
            program: postgres.display().to_string(),
            output: format!("its version is not understood: {}", said.trim()),
        })?;
        Ok(Self { bin, major })
    }
}

/// The newest of these, or the newest of the version that was asked for.
fn newest(installed: Vec<Programs>, version: Option<u32>) -> Option<Programs> {
    let fits = |p: &Programs| version.map_or(p.major >= OLDEST, |version| p.major == version);
    // If several have the same version, the first one is taken; max_by_key alone would take the last.
    installed.into_iter().filter(fits).rev().max_by_key(|p| p.major)
}

/// Every installed server that the server's user can run, in the order of the places that are searched.
async fn installed(account: Account) -> Vec<Programs> {
    let mut bins: Vec<PathBuf> = Vec::new();
    for folder in places().await {
        // For a folder of links, such as /usr/local/bin, the folder that they lead to is taken.
        let Ok(real) = folder.join("initdb").canonicalize() else { continue };
        let Some(bin) = real.parent().map(Path::to_owned) else { continue };
        if NEEDED.iter().all(|name| bin.join(name).is_file()) && !bins.contains(&bin) {
            bins.push(bin);
        }
    }
    let mut found = Vec::new();
    for bin in bins {
        found.extend(Programs::at(&bin, account).await);
    }
    found
}

/// The folders in which installers put server programs.
async fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    let mut pg_config = tokio::process::Command::new("pg_config");
    if let Ok(bindir) = run("pg_config", pg_config.arg("--bindir").stdin(Stdio::null())).await {
        places.push(PathBuf::from(bindir.trim()));
    }
    places.extend(environment::program_folders());
    for (parent, prefix, bin) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
        ("/Library/PostgreSQL", "", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()));
        places.extend(ours.map(|entry| entry.path().join(bin)));
    }
    places
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` or `postgres (PostgreSQL) 19beta1`.
fn major(said: &str) -> Option<u32> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32, bin: &str) -> Programs {
        Programs { bin: bin.into(), major }
    }

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn the_newest_installed_version_wins_and_among_equals_the_first_found() {
        let all = vec![programs(15, "/a"), programs(17, "/b"), programs(17, "/c"), programs(13, "/d")];
        assert_eq!(newest(all.clone(), None), Some(programs(17, "/b")));
        assert_eq!(newest(all.clone(), Some(15)), Some(programs(15, "/a")));
        assert_eq!(newest(all, Some(16)), None);
    }

    #[test]
    fn a_version_below_the_oldest_supported_is_not_an_installed_one() {
        assert_eq!(newest(vec![programs(13, "/a")], None), None);
    }
}
