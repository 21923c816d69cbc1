//! The folder that a file is in.

use std::fs;
use std::path::Path;

/// The folder that a file is in.
pub(super) fn above(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Flushes the entries of a folder to the disk. If the file system cannot do that, the file is in its place
/// nevertheless.
pub(super) fn sync(folder: &Path) {
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
}
