//! A folder that appears whole or not at all.

use std::path::Path;
use std::{fs, io};

use crate::printer::write_file;

/// Writes the files, each with its name, into a folder beside its place, which then gets its name.
///
/// # Errors
/// The folder above does not exist, the place is taken, or it cannot be written to; then nothing is left behind.
pub(super) fn make<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> io::Result<()> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Asked first, as the error of the temporary folder would name that one.
    fs::metadata(above)?;
    let unfinished = tempfile::Builder::new().prefix(".xtask-").suffix(".partial").tempdir_in(above)?;
    for (name, text) in files {
        write_file(&unfinished.path().join(name), text)?;
    }
    fs::rename(unfinished.path(), folder)?;
    // It has its name now; there is nothing left to remove.
    let _ = unfinished.keep();
    Ok(())
}
