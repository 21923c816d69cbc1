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
    pub problem: FileProblem,
}

/// Why a file was not written.
#[derive(Debug)]
pub enum FileProblem {
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
    pub(super) fn new(path: &Path, problem: FileProblem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The error for a write that failed in the middle of a file.
    pub fn io(path: &Path, source: io::Error) -> Self {
        Self::new(path, FileProblem::Io(source))
    }

    pub(super) fn folder(path: &Path, folder: &Path, source: io::Error) -> Self {
        // tempfile puts the name of its own file before the error of the system.
        let said = source.get_ref().and_then(|inner| std::error::Error::source(inner)).map(ToString::to_string);
        let source = said.map_or(source.kind().into(), |said| io::Error::new(source.kind(), said));
        Self::new(path, FileProblem::Folder(folder.to_owned(), source))
    }
}

impl UserError for FileError {
    fn hint(&self) -> Option<Hint> {
        let text = match &self.problem {
            FileProblem::NotAFile("a symbolic link") => "a link may lead anywhere: give the file that it points to",
            FileProblem::NotAFile("a folder") => "give the name of a file in it",
            FileProblem::NotAFile(_) => {
                "give a regular file; without the option, or as `--output -`, a report goes to standard output"
            }
            FileProblem::Taken => "give a folder that does not exist yet",
            FileProblem::Dash => "only --output takes `-`; a file of that name is `./-`",
            FileProblem::Folder(_, source) if source.kind() == io::ErrorKind::NotFound => {
                "make the folder first, or give another"
            }
            FileProblem::Folder(..) => "give a file in a folder that you may write to",
            FileProblem::Io(_) => return None,
        };
        Some(text.into())
    }

    fn exit(&self) -> Exit {
        match self.problem {
            FileProblem::NotAFile(_) | FileProblem::Taken => Exit::Refused,
            FileProblem::Dash => Exit::Usage,
            FileProblem::Folder(..) | FileProblem::Io(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: ", plain(self.path.display()))?;
        match &self.problem {
            FileProblem::NotAFile(what) => write!(f, "it is {what}"),
            FileProblem::Taken => f.write_str("it is there already"),
            FileProblem::Dash => f.write_str("`-` is no file"),
            FileProblem::Folder(folder, source) if source.kind() == io::ErrorKind::NotFound => {
                write!(f, "there is no folder {}", plain(folder.display()))
            }
            FileProblem::Folder(folder, source) => {
                write!(f, "the folder {} cannot be written to: {source}", plain(folder.display()))
            }
            FileProblem::Io(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}
