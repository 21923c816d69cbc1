//! Whose files are believed: the one decision before a setting, a state or a program is taken from a file.
//!
//! A file counts if it and its folder belong to this user or to root and nobody else may write to them; `TENANCY_TRUST` names
//! folders in which everything counts. Root believes in root's files alone.

mod groups;

#[cfg(test)]
mod tests;

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::user_error::{Exit, UserError};

/// The variable with the folders to trust, as `PATH` has them.
pub const VARIABLE: &str = "TENANCY_TRUST";

/// The bit of a folder in which only the owner of a file may remove or rename it, as in `/tmp`.
const STICKY: u32 = 0o1000;

/// Whom this process believes.
#[derive(Debug, Clone)]
pub struct Trust {
    user: u32,
    folders: Vec<PathBuf>,
}

/// A file or folder that is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {why}: nothing is taken from there", path.display())]
pub struct Untrusted {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: Doubt,
    /// The folder that `TENANCY_TRUST` would have to name.
    folder: PathBuf,
}

/// Why a file or folder is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It belongs to somebody else.
    #[error("belongs to user {owner}, and this runs as user {user}")]
    Owner {
        /// The number of its owner.
        owner: u32,
        /// The number of the user that this process runs as.
        user: u32,
    },
    /// Everybody may write to it.
    #[error("may be written to by every user of this machine")]
    Everybody,
    /// Members of a group may write to it.
    #[error("may be written to by every member of group {0}")]
    Group(u32),
}

impl UserError for Untrusted {
    fn hint(&self) -> Option<String> {
        let trust = format!("{VARIABLE}={} trusts all that is in that folder", self.folder.display());
        Some(match self.why {
            Doubt::Owner { .. } => trust,
            Doubt::Everybody | Doubt::Group(_) => format!("chmod go-w {}; or {trust}", self.path.display()),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Refused
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not believed.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// It is there, and the system does not give it, or it is no UTF-8 text.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Default for Trust {
    /// This process's user and root.
    fn default() -> Self {
        Self { user: rustix::process::geteuid().as_raw(), folders: Vec::new() }
    }
}

impl Trust {
    /// The trust of this process's user, and in the folders that a value of `TENANCY_TRUST` names, from `cwd` on. One that is
    /// not there trusts nothing.
    pub fn new(variable: Option<&str>, cwd: &Path) -> Self {
        let named = variable.map(|value| std::env::split_paths(value).collect::<Vec<_>>()).unwrap_or_default();
        let named = named.into_iter().filter(|folder| !folder.as_os_str().is_empty());
        let folders = named.filter_map(|folder| cwd.join(folder).canonicalize().ok()).collect();
        Self { folders, ..Self::default() }
    }

    /// Whether a file or folder that is there may be used: its owner, its mode, and those of the folder it stands in. A link
    /// counts as what it leads to, and must not be somebody else's either.
    ///
    /// # Errors
    /// [`ReadError::Untrusted`], or that the system does not tell.
    pub fn check(&self, path: &Path) -> Result<(), ReadError> {
        let there = path.symlink_metadata()?;
        let real = path.canonicalize()?;
        if self.folders.iter().any(|folder| real.starts_with(folder)) {
            return Ok(());
        }
        if there.is_symlink() {
            self.check_owner(path, &there)?;
            self.check_folder(&parent(&std::path::absolute(path)?))?;
        }
        let meta = real.metadata()?;
        self.check_owner(&real, &meta)?;
        self.check_writers(&real, &meta)?;
        self.check_folder(&parent(&real))
    }

    /// Whether something of ours may be made in a folder: it is this user's or root's, and others cannot replace what is in it.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_folder(&self, folder: &Path) -> Result<(), ReadError> {
        let real = folder.canonicalize()?;
        if self.folders.iter().any(|trusted| real.starts_with(trusted)) {
            return Ok(());
        }
        let meta = real.metadata()?;
        self.check_owner(&real, &meta)?;
        if meta.mode() & STICKY == 0 { self.check_writers(&real, &meta) } else { Ok(()) }
    }

    /// The text of a file; `None` only where there is no such file.
    ///
    /// # Errors
    /// [`ReadError`] for a file that is there and is not believed, cannot be read, or is no UTF-8 text.
    pub fn read(&self, path: &Path) -> Result<Option<String>, ReadError> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(_) => self.check(path)?,
        }
        let mut file = File::open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Some(text))
    }

    fn check_owner(&self, path: &Path, meta: &Metadata) -> Result<(), ReadError> {
        if meta.uid() == self.user || meta.uid() == 0 {
            return Ok(());
        }
        self.doubt(path, meta, Doubt::Owner { owner: meta.uid(), user: self.user })
    }

    fn check_writers(&self, path: &Path, meta: &Metadata) -> Result<(), ReadError> {
        let mode = meta.mode();
        if mode & 0o002 != 0 {
            return self.doubt(path, meta, Doubt::Everybody);
        }
        // Many systems give each user a group of their own, and let that write to all they make.
        if mode & 0o020 != 0 && !groups::has_only(meta.gid(), &[0, self.user]) {
            return self.doubt(path, meta, Doubt::Group(meta.gid()));
        }
        Ok(())
    }

    fn doubt(&self, path: &Path, meta: &Metadata, why: Doubt) -> Result<(), ReadError> {
        let folder = if meta.is_dir() { path.to_owned() } else { parent(path) };
        Err(Untrusted { path: path.to_owned(), why, folder }.into())
    }
}

/// The folders that settings and state of a working folder may stand in, nearest first: up to the root of its repository, or
/// that folder alone, for what lies above belongs to others.
pub fn folders_of(cwd: &Path) -> impl Iterator<Item = &Path> {
    let is_root = |folder: &Path| fs::symlink_metadata(folder.join(".git")).is_ok();
    let to_root = cwd.ancestors().position(is_root).unwrap_or(0);
    cwd.ancestors().take(to_root + 1)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}
