//! The names of the files that are being written, so that a process that is ended by a signal can remove them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn names() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names unfinished files and folders.
pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".xtask-").suffix(".partial");
    builder
}

/// Keeps a name on the list as long as this value lives.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Makes a file or folder and puts its name on the list, in one step.
    pub(super) fn make<T>(make: impl FnOnce() -> io::Result<(PathBuf, T)>) -> io::Result<(Self, T)> {
        let mut names = names();
        let (path, made) = make()?;
        // The working directory may have changed when the list is read.
        let path = std::path::absolute(&path).unwrap_or(path);
        names.insert(path.clone());
        Ok((Self(path), made))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        names().remove(&self.0);
    }
}

/// Removes what is unfinished. The process is about to end: from now on no file is begun, and a thread that tries to
/// begin one waits for the end.
pub fn remove_unfinished() {
    let names = names();
    names.iter().for_each(|path| remove(path));
    std::mem::forget(names);
}

fn remove(path: &Path) {
    // If it cannot be removed, it stays under a name that says what it is.
    let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}
