//! The folder around a file.

use std::fs;
use std::path::Path;

/// The folder that a file is in.
pub(super) fn above(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes the entries of a folder out. Where a file system has no such thing, the file is in its place all the same.
pub(super) fn sync(folder: &Path) {
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
}
