//! Why a file was not written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::hint::Hint;
use crate::plain::plain;
use crate::user_error::{Exit, UserError};

/// A file that was not written. If there was a file before, it is unchanged.
#[derive(Debug)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why it was not written.
    pub problem: Problem,
}

/// Why a file was not written.
#[derive(Debug)]
pub enum Problem {
    /// Something other than a regular file is there, such as a device.
    NotAFile(&'static str),
    /// Something exists where a new folder was to be made.
    Taken,
    /// The name is `-`, which elsewhere means a stream.
    Dash,
    /// The folder of the file cannot be used; with the error of the system.
    Folder(PathBuf, io::Error),
    /// The error of the system.
    Io(io::Error),
}

impl FileError {
    pub(super) fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The error for a write that failed in the middle of a file.
    pub fn io(path: &Path, source: io::Error) -> Self {
        Self::new(path, Problem::Io(source))
    }

    pub(super) fn folder(path: &Path, folder: &Path, source: io::Error) -> Self {
        // tempfile puts the name of its own file before the error of the system.
        let said = source.get_ref().and_then(|inner| std::error::Error::source(inner)).map(ToString::to_string);
        let source = said.map_or(source.kind().into(), |said| io::Error::new(source.kind(), said));
        Self::new(path, Problem::Folder(folder.to_owned(), source))
    }
}

impl UserError for FileError {
    fn hint(&self) -> Option<Hint> {
        let text = match &self.problem {
            Problem::NotAFile("a symbolic link") => "a link may lead anywhere: give the file that it points to",
            Problem::NotAFile("a folder") => "give the name of a file in it",
            Problem::NotAFile(_) => {
                "give a regular file; without the option, or as `--output -`, a report goes to standard output"
            }
            Problem::Taken => "give a folder that does not exist yet",
            Problem::Dash => "only --output takes `-`; a file of that name is `./-`",
            Problem::Folder(_, source) if source.kind() == io::ErrorKind::NotFound => {
                "make the folder first, or give another"
            }
            Problem::Folder(..) => "give a file in a folder that you may write to",
            Problem::Io(_) => return None,
        };
        Some(text.into())
    }

    fn exit(&self) -> Exit {
        match self.problem {
            Problem::NotAFile(_) | Problem::Taken => Exit::Refused,
            Problem::Dash => Exit::Usage,
            Problem::Folder(..) | Problem::Io(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: ", plain(self.path.display()))?;
        match &self.problem {
            Problem::NotAFile(what) => write!(f, "it is {what}"),
            Problem::Taken => f.write_str("it is there already"),
            Problem::Dash => f.write_str("`-` is no file"),
            Problem::Folder(folder, source) if source.kind() == io::ErrorKind::NotFound => {
                write!(f, "there is no folder {}", plain(folder.display()))
            }
            Problem::Folder(folder, source) => {
                write!(f, "the folder {} cannot be written to: {source}", plain(folder.display()))
            }
            Problem::Io(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}
