//! The file of refused lines.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tenancy_config::FileError;
use tenancy_config::csv::{CsvWriter, text_of};
use tenancy_config::files::{NewFile, Readers};

use crate::error::Result;
use crate::review::columns::REFUSED;
use crate::review::file::{MARK, ReviewFile};

/// A file with the columns of the review and one more for the reason, to be corrected and applied again.
pub(crate) struct RefusedFile {
    path: PathBuf,
    csv: CsvWriter<NewFile>,
    width: usize,
    /// The position of the reason.
    at: usize,
}

impl RefusedFile {
    /// Begins the file, in the format of the review.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the file cannot be written.
    pub(crate) fn create(path: &Path, like: &ReviewFile) -> Result<Self> {
        let cannot = |source| FileError::io(path, source);
        let mut file = NewFile::create(path, Readers::Owner)?;
        if like.marked {
            file.write_all(MARK).map_err(cannot)?;
        }
        let mut header = like.header.clone();
        let width = header.len();
        let at = header.iter().position(|name| name == REFUSED).unwrap_or(width);
        if at == width {
            header.push(REFUSED.to_owned());
        }
        let mut csv = CsvWriter::with_delimiter(file, like.delimiter);
        csv.record(&header).map_err(cannot)?;
        Ok(Self { path: path.to_owned(), csv, width, at })
    }

    /// Adds a line with the cells of the review. Cells beyond its columns follow the reason.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the file cannot be written.
    pub(crate) fn add(&mut self, cells: &[String], why: &str) -> Result<()> {
        let mut texts: Vec<_> = cells.iter().map(|cell| text_of(cell).into_owned()).collect();
        let mut why = why.to_owned();
        if texts.len() > self.width {
            let rest = texts.split_off(self.width);
            why.push_str(&format!("; too much: {}", rest.join(" | ")));
        }
        texts.resize(self.width.max(self.at + 1), String::new());
        texts[self.at] = why;
        Ok(self.csv.record(texts).map_err(|source| FileError::io(&self.path, source))?)
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the file cannot be written.
    pub(crate) fn finish(self) -> Result<()> {
        let file = self.csv.into_inner().map_err(|source| FileError::io(&self.path, source))?;
        Ok(file.finish()?)
    }
}
