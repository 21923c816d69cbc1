//! The one writer of files. A file appears whole or not at all: it is written beside its place under another name and then renamed. It
//! takes the place of a regular file or of nothing, and what holds a session, keys of rows or decisions is its owner's alone.

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

pub use error::{FileError, Problem};
pub use folder::NewFolder;
pub use unfinished::remove_unfinished;

use place::{above, sync};
use unfinished::Unfinished;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone.
    Owner,
    /// Whom the umask lets, or who could read the file that it replaces.
    Usual,
}

/// A file while it is being written. Dropped without [`finish`](Self::finish), it leaves nothing, and what stood there stands.
#[derive(Debug)]
pub struct NewFile {
    place: PathBuf,
    writer: BufWriter<NamedTempFile>,
    /// The mode that the file is to have exactly; else the umask's.
    mode: Option<u32>,
    // Behind the file: it is forgotten only when that is gone.
    _unfinished: Unfinished,
}

impl NewFile {
    /// Begins a file beside `place`.
    ///
    /// # Errors
    /// Something that is no regular file stands there, or its folder cannot be written to.
    pub fn create(place: &Path, readers: Readers) -> Result<Self, FileError> {
        if place == Path::new("-") {
            return Err(FileError::new(place, Problem::Dash));
        }
        let replaced = replaceable(place)?;
        let mode = match readers {
            Readers::Owner => Some(0o600),
            Readers::Usual => replaced,
        };
        let folder = above(place);
        let made = Unfinished::make(|| {
            // What a shell redirection would give: the umask takes its bits off.
            let permissions = Permissions::from_mode(mode.unwrap_or(0o666));
            let file = unfinished::builder().permissions(permissions).tempfile_in(folder)?;
            Ok((file.path().to_owned(), file))
        });
        let (unfinished, file) = made.map_err(|source| FileError::folder(place, folder, source))?;
        Ok(Self { place: place.to_owned(), writer: BufWriter::new(file), mode, _unfinished: unfinished })
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// The disk is full, or the place was taken in between; nothing is left behind then, and the old file stands.
    pub fn finish(self) -> Result<(), FileError> {
        let Self { place, writer, mode, _unfinished } = self;
        let io = |source| FileError::io(&place, source);
        let file = writer.into_inner().map_err(|error| io(error.into_error()))?;
        if let Some(mode) = mode {
            file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(io)?;
        }
        // A full disk may show only here, and before the rename is the last moment to notice it.
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

/// Writes a whole file or none of it.
///
/// # Errors
/// As [`NewFile::create`] and [`NewFile::finish`].
pub fn write(place: &Path, bytes: impl AsRef<[u8]>, readers: Readers) -> Result<(), FileError> {
    let mut file = NewFile::create(place, readers)?;
    file.write_all(bytes.as_ref()).map_err(|source| FileError::io(place, source))?;
    file.finish()
}

/// Tells before hours of work whether a file could be written there.
///
/// # Errors
/// As [`NewFile::create`].
pub fn check(place: &Path) -> Result<(), FileError> {
    NewFile::create(place, Readers::Owner).map(drop)
}

/// Adds to the end of a file that several programs write to, in one write.
///
/// # Errors
/// It is no regular file, or cannot be written to.
pub fn append(place: &Path, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
    replaceable(place)?;
    let io = |source| FileError::io(place, source);
    let mut file = OpenOptions::new().append(true).create(true).open(place).map_err(io)?;
    expect_regular(place, file.metadata().map_err(io)?.file_type())?;
    file.write_all(bytes.as_ref()).map_err(io)
}

/// The mode of the regular file that stands there, or `None` where nothing does.
fn replaceable(place: &Path) -> Result<Option<u32>, FileError> {
    match fs::symlink_metadata(place) {
        Ok(found) => {
            expect_regular(place, found.file_type())?;
            Ok(Some(found.permissions().mode() & 0o777))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new(place, Problem::Io(error))),
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
    Err(FileError::new(place, Problem::NotAFile(what)))
}
