//! Which files are trusted. It is decided here before a setting, a state or a program is taken from a file.
//!
//! A file is trusted if it and its folder belong to this user or to root, and nobody else may write to them.
//! `TENANCY_TRUST` names folders in which every file is trusted. Root trusts only root's files.

mod groups;

#[cfg(test)]
mod tests;

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::hint::Hint;
use crate::user_error::{Exit, UserError};

/// The variable with the folders to trust, separated as in `PATH`.
pub const VARIABLE: &str = "TENANCY_TRUST";

/// The sticky bit: in a folder with it, such as `/tmp`, only the owner of a file may remove or rename it.
const STICKY: u32 = 0o1000;

/// Whose files this process trusts.
#[derive(Debug, Clone)]
pub struct Trust {
    user: u32,
    folders: Vec<PathBuf>,
}

/// A file or folder that is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {why}: nothing is taken from there", path.display())]
pub struct Untrusted {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: Doubt,
    /// The folder that `TENANCY_TRUST` would have to name to trust it.
    folder: PathBuf,
}

/// Why a file or folder is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It belongs to another user.
    #[error("belongs to user {owner}, and this runs as user {user}")]
    Owner {
        /// The user id of its owner.
        owner: u32,
        /// The user id of this process.
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
    fn hint(&self) -> Option<Hint> {
        let trust = format!("{VARIABLE}={} trusts all that is in that folder", self.folder.display());
        Some(match self.why {
            Doubt::Owner { .. } => trust.into(),
            Doubt::Everybody | Doubt::Group(_) => format!("chmod go-w {}; or {trust}", self.path.display()).into(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Refused
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not trusted.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// It exists, but it cannot be read or is not UTF-8 text.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Default for Trust {
    /// Trusts this process's user and root.
    fn default() -> Self {
        Self { user: rustix::process::geteuid().as_raw(), folders: Vec::new() }
    }
}

impl Trust {
    /// Trusts this process's user, and the folders in a value of `TENANCY_TRUST`, relative to `cwd`. A folder that does
    /// not exist is ignored.
    pub fn new(variable: Option<&str>, cwd: &Path) -> Self {
        let named = variable.map(|value| std::env::split_paths(value).collect::<Vec<_>>()).unwrap_or_default();
        let named = named.into_iter().filter(|folder| !folder.as_os_str().is_empty());
        let folders = named.filter_map(|folder| cwd.join(folder).canonicalize().ok()).collect();
        Self { folders, ..Self::default() }
    }

    /// Checks that an existing file or folder may be used, by its owner and mode and those of its folder. A link is
    /// checked by what it leads to, and must not belong to another user either.
    ///
    /// # Errors
    /// [`ReadError::Untrusted`]: it may not be used. [`ReadError::Io`]: the system does not say whose it is.
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

    /// Checks that we may create files in a folder: it belongs to this user or to root, and others cannot replace what
    /// is in it.
    ///
    /// # Errors
    /// The folder is not trusted. The errors are those of [`check`](Self::check).
    pub fn check_folder(&self, folder: &Path) -> Result<(), ReadError> {
        let real = folder.canonicalize()?;
        if self.folders.iter().any(|trusted| real.starts_with(trusted)) {
            return Ok(());
        }
        let meta = real.metadata()?;
        self.check_owner(&real, &meta)?;
        if meta.mode() & STICKY == 0 { self.check_writers(&real, &meta) } else { Ok(()) }
    }

    /// The text of a file; `None` only if there is no such file.
    ///
    /// # Errors
    /// [`ReadError`]: the file exists, but it is not trusted, cannot be read, or is not UTF-8 text.
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
        // Many systems give each user a group of their own, which may write to everything that the user makes.
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

/// The folders that may hold the settings and state for a working folder, nearest first: up to the root of its
/// repository, or that folder alone if there is no repository, because what lies above it belongs to others.
pub fn folders_of(cwd: &Path) -> impl Iterator<Item = &Path> {
    let is_root = |folder: &Path| fs::symlink_metadata(folder.join(".git")).is_ok();
    let to_root = cwd.ancestors().position(is_root).unwrap_or(0);
    cwd.ancestors().take(to_root + 1)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}
