//! A new folder of files, complete or not there.

use std::path::Path;

use tenancy_config::FileError;
use tenancy_config::files::NewFolder;

/// Writes the files, each with its name.
///
/// # Errors
/// The parent folder does not exist, the folder exists already, or it cannot be written. Then nothing is left.
pub(super) fn make<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), FileError> {
    let unfinished = NewFolder::create(folder)?;
    for (name, text) in files {
        unfinished.write(name, text)?;
    }
    unfinished.finish()
}
