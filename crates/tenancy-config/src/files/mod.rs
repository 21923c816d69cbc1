//! The one writer of files. A file appears whole or not at all: it is written under another name in the same folder and
//! then renamed. It replaces a regular file or nothing. If it holds a session, keys of rows or decisions, only its
//! owner can read it.

mod error;
mod folder;
mod place;
mod unfinished;

#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use error::{FileError, FileProblem};
pub use folder::NewFolder;
pub use unfinished::remove_unfinished;

use place::{above, sync};
use unfinished::Unfinished;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Only its owner.
    Owner,
    /// Everybody whom the umask allows, or who could read the file that it replaces.
    Usual,
}

/// A file that is being written. If it is dropped before [`finish`](Self::finish), nothing of it stays, and the file
/// that was there before is unchanged.
#[derive(Debug)]
pub struct NewFile {
    place: PathBuf,
    writer: BufWriter<NamedTempFile>,
    /// The exact mode of the file; `None` leaves it to the umask.
    mode: Option<u32>,
    // Declared after the file, so that its name stays on the list until the file is gone.
    _unfinished: Unfinished,
}

impl NewFile {
    /// Begins a file under a temporary name beside `place`.
    ///
    /// # Errors
    /// Something that is not a regular file is there, or its folder cannot be written to.
    pub fn create(place: &Path, readers: Readers) -> Result<Self, FileError> {
        if place == Path::new("-") {
            return Err(FileError::new(place, FileProblem::Dash));
        }
        let replaced = replaceable(place)?;
        let mode = match readers {
            Readers::Owner => Some(0o600),
            Readers::Usual => replaced,
        };
        let folder = above(place);
        let made = Unfinished::make(|| {
            // The mode that a shell redirection would ask for; the umask removes its bits from it.
            let permissions = Permissions::from_mode(mode.unwrap_or(0o666));
            let file = unfinished::builder().permissions(permissions).tempfile_in(folder)?;
            Ok((file.path().to_owned(), file))
        });
        let (unfinished, file) = made.map_err(|source| FileError::folder(place, folder, source))?;
        Ok(Self { place: place.to_owned(), writer: BufWriter::new(file), mode, _unfinished: unfinished })
    }

    /// Gives the finished file its name.
    ///
    /// # Errors
    /// The disk is full, or something was put in the place meanwhile. The temporary file is removed then, and the old
    /// file is unchanged.
    pub fn finish(self) -> Result<(), FileError> {
        let Self { place, writer, mode, _unfinished } = self;
        let io = |source| FileError::io(&place, source);
        let file = writer.into_inner().map_err(|error| io(error.into_error()))?;
        if let Some(mode) = mode {
            file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(io)?;
        }
        // A full disk may show only here, and this is the last chance to notice it before the rename.
        file.as_file().sync_all().map_err(io)?;
        replaceable(&place)?;
        file.persist(&place).map_err(|failed| io(failed.error))?;
        sync(above(&place));
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes a whole file or nothing.
///
/// # Errors
/// The file cannot be begun or finished. The errors are those of [`NewFile::create`] and [`NewFile::finish`].
pub fn write(place: &Path, bytes: impl AsRef<[u8]>, readers: Readers) -> Result<(), FileError> {
    let mut file = NewFile::create(place, readers)?;
    file.write_all(bytes.as_ref()).map_err(|source| FileError::io(place, source))?;
    file.finish()
}

/// Checks before hours of work that a file could be written there.
///
/// # Errors
/// The file could not be begun. The errors are those of [`NewFile::create`].
pub fn check(place: &Path) -> Result<(), FileError> {
    NewFile::create(place, Readers::Owner).map(drop)
}

/// Appends to a file that several programs write to, in one write.
///
/// # Errors
/// It is not a regular file, or it cannot be written to.
pub fn append(place: &Path, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
    replaceable(place)?;
    let io = |source| FileError::io(place, source);
    let mut file = OpenOptions::new().append(true).create(true).open(place).map_err(io)?;
    expect_regular(place, file.metadata().map_err(io)?.file_type())?;
    file.write_all(bytes.as_ref()).map_err(io)
}

/// The mode of the regular file that is there; `None` if nothing is there.
fn replaceable(place: &Path) -> Result<Option<u32>, FileError> {
    match fs::symlink_metadata(place) {
        Ok(found) => {
            expect_regular(place, found.file_type())?;
            Ok(Some(found.permissions().mode() & 0o777))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new(place, FileProblem::Io(error))),
    }
}

fn expect_regular(place: &Path, found: fs::FileType) -> Result<(), FileError> {
    let what = match found {
        found if found.is_file() => return Ok(()),
        found if found.is_dir() => "a folder",
        found if found.is_symlink() => "a symbolic link",
        found if found.is_fifo() => "a pipe",
        found if found.is_socket() => "a socket",
        _ => "a device",
    };
    Err(FileError::new(place, FileProblem::NotAFile(what)))
}
