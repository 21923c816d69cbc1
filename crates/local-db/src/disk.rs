//! Free space on a disk.

use std::path::Path;

use crate::error::{Error, Result};

/// The bytes that an ordinary user may still write to the file system of `path`.
///
/// # Errors
/// [`Error::File`]: the system does not say.
pub fn free_space(path: &Path) -> Result<u64> {
    let told = rustix::fs::statvfs(path).map_err(|error| Error::file("asking for the room at", path)(error.into()))?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_room_and_a_place_that_is_not_there_has_none_to_tell() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(folder.path()).unwrap() > 0);
        assert!(free_space(&folder.path().join("missing")).is_err());
    }
}
