//! The lines that were not applied, in a file like the one that they come from.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::cells::guard;
use super::columns::REFUSED;
use super::file::{MARK, ReviewFile};
use super::{beside, put_in_place};
use crate::{Error, Result};

/// The file of refused lines: the columns of the review and one more, to be mended and applied again.
pub(crate) struct Refused {
    path: PathBuf,
    csv: csv::Writer<NamedTempFile>,
    width: usize,
    /// The position of the reason.
    at: usize,
}

impl Refused {
    /// Begins the file, in the form that the review has.
    ///
    /// # Errors
    /// [`Error::Review`] where it cannot be written.
    pub(crate) fn create(path: &Path, like: &ReviewFile) -> Result<Self> {
        let cannot = |source: io::Error| Error::Review { path: path.to_owned(), source };
        let mut file = beside(path).map_err(cannot)?;
        if like.marked {
            file.write_all(MARK).map_err(cannot)?;
        }
        let mut header = like.header.clone();
        let width = header.len();
        let at = header.iter().position(|name| name == REFUSED).unwrap_or(width);
        if at == width {
            header.push(REFUSED.to_owned());
        }
        let mut csv = csv::WriterBuilder::new().delimiter(like.delimiter).from_writer(file);
        csv.write_record(&header).map_err(|error| cannot(error.into()))?;
        Ok(Self { path: path.to_owned(), csv, width, at })
    }

    /// Adds a line. What does not fit into its columns stands behind the reason.
    ///
    /// # Errors
    /// [`Error::Review`] where it cannot be written.
    pub(crate) fn add(&mut self, mut cells: Vec<String>, why: &str) -> Result<()> {
        let mut why = why.to_owned();
        if cells.len() > self.width {
            let rest = cells.split_off(self.width);
            why.push_str(&format!("; too much: {}", rest.join(" | ")));
        }
        cells.resize(self.width.max(self.at + 1), String::new());
        cells[self.at] = guard(&why).into_owned();
        self.csv.write_record(&cells).map_err(|error| self.cannot(error.into()))
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// [`Error::Review`] where it cannot be written.
    pub(crate) fn finish(self) -> Result<()> {
        put_in_place(self.csv, &self.path).map_err(|source| Error::Review { path: self.path, source })
    }

    fn cannot(&self, source: io::Error) -> Error {
        Error::Review { path: self.path.clone(), source }
    }
}
