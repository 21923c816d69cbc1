//! A folder of files that appears whole or not at all.

use std::path::Path;

use tenancy_config::FileError;
use tenancy_config::files::NewFolder;

/// Writes the files, each with its name.
///
/// # Errors
/// The folder above does not exist, the place is taken, or it cannot be written to; then nothing is left behind.
pub(super) fn make<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), FileError> {
    let unfinished = NewFolder::create(folder)?;
    for (name, text) in files {
        unfinished.write(name, text)?;
    }
    unfinished.finish()
}
