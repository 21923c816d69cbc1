//! The streams that are read: files and standard input, compressed or not.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::Error;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl From<&Path> for Input {
    /// `-` is standard input.
    fn from(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path.to_owned()) }
    }
}

impl Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// Forms that this program does not read, by how they begin.
const FOREIGN: [(&[u8], &str); 7] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "it is compressed with zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "it is compressed with xz"),
    (b"BZh91AY", "it is compressed with bzip2"),
    (b"PK\x03\x04", "it is a ZIP archive"),
    (&[0x04, 0x22, 0x4d, 0x18], "it is compressed with LZ4"),
    (&[0xff, 0xfe], "it is UTF-16"),
    (&[0xfe, 0xff], "it is UTF-16"),
];

impl Input {
    /// Opens it. Nothing of it is read yet.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, Error> {
        match self {
            Self::Stdin => Ok(Box::new(io::stdin())),
            Self::File(path) if path.is_dir() => Err(Error::Folder(path.clone())),
            Self::File(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(source) => Err(Error::Open { path: path.clone(), source }),
            },
        }
    }
}

/// Refuses inputs that are one and the same.
pub(crate) fn check(inputs: &[Input]) -> Result<(), Error> {
    let place = |input: &Input| match input {
        Input::File(path) => Input::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Input::Stdin => Input::Stdin,
    };
    let places: Vec<Input> = inputs.iter().map(place).collect();
    match (1..places.len()).find(|at| places[..*at].contains(&places[*at])) {
        Some(at) => Err(Error::Twice(inputs[at].to_string())),
        None => Ok(()),
    }
}

/// The text of a stream, decompressed if it is gzip: one member or several.
///
/// # Errors
/// It cannot be read, or has a form that this program does not read.
pub(crate) fn text_of(mut stream: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut head = Vec::new();
    (&mut stream).take(8).read_to_end(&mut head)?;
    let foreign = FOREIGN.iter().find(|(begins, _)| head.starts_with(begins));
    if let Some((_, what)) = foreign {
        return Err(io::Error::other(*what));
    }
    let is_gzip = head.starts_with(&[0x1f, 0x8b]);
    let whole = Cursor::new(head).chain(stream);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}
