//! What stands in a server's folder: how it may be named, what its log tells, and how it goes.

use std::fs;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// Whether `pg_ctl` can be given this path: it hands it to a shell, in double quotes and as it is.
pub fn can_name(path: &Path) -> bool {
    path.to_str().is_some_and(|path| !path.contains(['"', '$', '`', '\\', '\n']))
}

/// The lines of trouble in a log, from a position in bytes on.
pub fn log_tail(log: &Path, from: u64) -> Option<String> {
    let mut file = fs::File::open(log).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let trouble = |line: &&str| line.contains("FATAL:") || line.contains("PANIC:") || line.contains("error:");
    text.lines().rfind(trouble).or_else(|| text.lines().rfind(|line| !line.trim().is_empty())).map(str::to_owned)
}

/// Removes a folder with all that is in it, if it is there.
///
/// # Errors
/// [`Error::File`].
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("removing", path)(error)),
        _ => Ok(()),
    }
}
