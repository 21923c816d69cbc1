//! The files in a server's folder: which paths can be used, what the log says, and how the folder is removed.

use std::fs;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// Whether `pg_ctl` can use this path: it passes it unescaped, in double quotes, to a shell.
pub fn can_name(path: &Path) -> bool {
    path.to_str().is_some_and(|path| !path.contains(['"', '$', '`', '\\', '\n']))
}

/// The last line about an error in a log, after a position in bytes. If there is none, the last line at all.
pub fn log_tail(log: &Path, from: u64) -> Option<String> {
    let mut file = fs::File::open(log).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let trouble = |line: &&str| line.contains("FATAL:") || line.contains("PANIC:") || line.contains("error:");
    text.lines().rfind(trouble).or_else(|| text.lines().rfind(|line| !line.trim().is_empty())).map(str::to_owned)
}

/// Removes a folder and everything in it, if it exists.
///
/// # Errors
/// [`Error::File`]: something cannot be removed.
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("removing", path)(error)),
        _ => Ok(()),
    }
}
