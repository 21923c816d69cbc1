//! A folder of files, which appears whole or not at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::place::{above, sync};
use super::unfinished::{self, Unfinished};
use super::{FileError, FileProblem, Readers};

/// A new folder whose files are being written. If it is dropped before [`finish`](Self::finish), nothing of it stays.
#[derive(Debug)]
pub struct NewFolder {
    place: PathBuf,
    folder: TempDir,
    _unfinished: Unfinished,
}

impl NewFolder {
    /// Begins a folder under a temporary name beside `place`.
    ///
    /// # Errors
    /// Something exists at `place`, or the folder above cannot be written to.
    pub fn create(place: &Path) -> Result<Self, FileError> {
        Self::expect_nothing(place)?;
        let above = above(place);
        let made = Unfinished::make(|| {
            let folder = unfinished::builder().permissions(Permissions::from_mode(0o777)).tempdir_in(above)?;
            Ok((folder.path().to_owned(), folder))
        });
        let (unfinished, folder) = made.map_err(|source| FileError::folder(place, above, source))?;
        Ok(Self { place: place.to_owned(), folder, _unfinished: unfinished })
    }

    /// Refuses a place where something exists, be it an empty folder or a link that leads nowhere.
    ///
    /// # Errors
    /// [`FileProblem::Taken`]: something exists there.
    pub fn expect_nothing(place: &Path) -> Result<(), FileError> {
        match fs::symlink_metadata(place) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(FileError::new(place, FileProblem::Io(error))),
            Ok(_) => Err(FileError::new(place, FileProblem::Taken)),
        }
    }

    /// Writes one file of the folder.
    ///
    /// # Errors
    /// The file cannot be written. The errors are those of [`write`](super::write).
    pub fn write(&self, name: &str, text: &str) -> Result<(), FileError> {
        let written = super::write(&self.folder.path().join(name), text, Readers::Usual);
        written.map_err(|error| FileError::new(&self.place.join(name), error.problem))
    }

    /// Gives the finished folder its name.
    ///
    /// # Errors
    /// Something was put in the place meanwhile. The temporary folder is removed then.
    pub fn finish(self) -> Result<(), FileError> {
        Self::expect_nothing(&self.place)?;
        sync(self.folder.path());
        fs::rename(self.folder.path(), &self.place)
            .map_err(|source| FileError::new(&self.place, FileProblem::Io(source)))?;
        // It has its name now, so there is nothing left to remove.
        let _ = self.folder.keep();
        sync(above(&self.place));
        Ok(())
    }
}
