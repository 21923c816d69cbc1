//! The names of files that are being written, so that a process which a signal ends can take them away.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn names() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How an unfinished file or folder is called.
pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".xtask-").suffix(".partial");
    builder
}

/// Keeps a name on the list for as long as it lives.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Makes a file or folder, and puts its name on the list, as one step.
    pub(super) fn make<T>(make: impl FnOnce() -> io::Result<(PathBuf, T)>) -> io::Result<(Self, T)> {
        let mut names = names();
        let (path, made) = make()?;
        // The working directory may be another one when the list is read.
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

/// Takes away what is unfinished. The process is about to end: from here on no file is begun, and whoever tries waits for the end.
pub fn remove_unfinished() {
    let names = names();
    names.iter().for_each(|path| remove(path));
    std::mem::forget(names);
}

fn remove(path: &Path) {
    // What cannot be removed stays, under a name that says what it is.
    let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}
