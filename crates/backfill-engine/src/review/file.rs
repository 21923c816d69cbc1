//! Reads a review that people filled in, record by record and in bounded memory.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use tenancy_config::csv::text_of;

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::review::cells::{has_open_quote, split};
use crate::review::columns::{self, DECISION, FINGERPRINT, ID, TABLE};
use crate::review::refusal::LineFault;

/// The longest record, in bytes. A source may name thousands of tenants.
const LONGEST: usize = 1 << 20;

/// The delimiters that spreadsheets use.
const DELIMITERS: [u8; 3] = *b",;\t";

/// The byte order mark with which some spreadsheets begin a UTF-8 file.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// One record of the file.
#[derive(Debug)]
pub(crate) struct Line {
    /// The line in which it begins, from 1.
    pub(crate) number: u64,
    /// Its cells, as in the file.
    pub(crate) cells: Vec<String>,
    pub(crate) content: LineContent,
}

#[derive(Debug)]
pub(crate) enum LineContent {
    Undecided,
    Decided(Decision),
    /// The record cannot be read, and the reason.
    Malformed(LineFault),
}

impl LineContent {
    /// The decision, if the record has one.
    pub(crate) fn decided(&self) -> Option<&Decision> {
        match self {
            Self::Decided(decision) => Some(decision),
            Self::Undecided | Self::Malformed(_) => None,
        }
    }
}

/// A decision of people: the row gets this tenant, if it has not changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) table: String,
    pub(crate) key: String,
    /// The tenant's id or slug.
    pub(crate) tenant: String,
    pub(crate) fingerprint: String,
}

/// A review that is being read.
#[derive(Debug)]
pub(crate) struct ReviewFile {
    path: PathBuf,
    input: BufReader<File>,
    /// Lines that are read again, as they turned out not to belong to the record before them.
    again: VecDeque<(u64, Vec<u8>)>,
    line: u64,
    pub(super) marked: bool,
    pub(super) delimiter: u8,
    pub(super) header: Vec<String>,
    at: Positions,
}

#[derive(Debug, Default)]
struct Positions {
    table: usize,
    id: usize,
    decision: usize,
    fingerprint: usize,
}

impl ReviewFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let cannot = |source| Error::ReadReview { path: path.to_owned(), source };
        let input = File::open(path).map_err(cannot)?;
        if !input.metadata().map_err(cannot)?.is_file() {
            return Err(cannot(io::Error::other("it is read twice, so it must be a plain file")));
        }
        let mut file = Self {
            path: path.to_owned(),
            input: BufReader::new(input),
            again: VecDeque::new(),
            line: 0,
            marked: false,
            delimiter: b',',
            header: Vec::new(),
            at: Positions::default(),
        };
        file.read_mark()?;
        file.read_header()?;
        Ok(file)
    }

    pub(super) fn metadata(&self) -> Result<Metadata> {
        self.input.get_ref().metadata().map_err(|source| self.cannot_read(source))
    }

    fn read_mark(&mut self) -> Result<()> {
        let start = self.input.fill_buf().map_err(|source| Error::ReadReview { path: self.path.clone(), source })?;
        self.marked = start.starts_with(MARK);
        if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
            return Err(self.not_a_review("it is UTF-16".into(), "save it as \"CSV UTF-8\""));
        }
        if self.marked {
            self.input.consume(MARK.len());
        }
        Ok(())
    }

    /// Finds the delimiter and the columns.
    fn read_header(&mut self) -> Result<()> {
        let Some((_, bytes)) = self.physical()? else {
            return Err(self.not_a_review("it is empty".into(), HINT));
        };
        let read = |delimiter| -> Vec<String> {
            let cells = split(&bytes, delimiter).unwrap_or_default();
            cells.iter().map(|cell| text_of(cell).into_owned()).collect()
        };
        let has_all = |header: &[String]| [TABLE, ID, DECISION, FINGERPRINT].iter().all(|name| has(header, name));
        let found = DELIMITERS.into_iter().find(|delimiter| has_all(&read(*delimiter)));
        self.delimiter = found.unwrap_or(b',');
        self.header = read(self.delimiter);
        self.at = Positions {
            table: self.column(TABLE)?,
            id: self.column(ID)?,
            decision: self.column(DECISION)?,
            fingerprint: self.column(FINGERPRINT)?,
        };
        Ok(())
    }

    fn column(&self, name: &'static str) -> Result<usize> {
        let mut found = self.header.iter().enumerate().filter(|(_, column)| *column == name).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err(self.not_a_review(format!("it has the column `{name}` twice"), HINT)),
            (None, _) => {
                let what = format!("it has no column `{name}`; its first line is `{}`", self.header.join(","));
                Err(self.not_a_review(what, HINT))
            }
        }
    }

    /// Refuses columns that a review of this plan does not have, such as one of a renamed source.
    pub(crate) fn check_columns(&self, plan: &BackfillPlan) -> Result<()> {
        let Some(unknown) = columns::unknown(plan, &self.header) else { return Ok(()) };
        let what =
            format!("it has a column `{unknown}`, and a review of {} has {}", plan.table, columns::of(plan).join(", "));
        Err(self
            .not_a_review(what, "take the column out; where the sources of the table have changed, write a new review"))
    }

    /// Reads the next record that is not empty.
    ///
    /// # Errors
    /// [`Error::ReadReview`] if the file cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<Line>> {
        while let Some((number, first)) = self.physical()? {
            // A line of white space cannot begin a record.
            if first.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = self.whole(number, first)?;
            if line.cells.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Reads the record that begins with this line. Of a malformed record only the first line is taken, as an open
    /// quote must not swallow the good lines that follow.
    fn whole(&mut self, number: u64, first: Vec<u8>) -> Result<Line> {
        let (mut bytes, mut more, mut open) = (first.clone(), Vec::new(), has_open_quote(&first));
        while open && bytes.len() < LONGEST {
            let Some((number, next)) = self.physical()? else { break };
            open ^= has_open_quote(&next);
            bytes.extend_from_slice(&next);
            more.push((number, next));
        }
        let read = match (open, bytes.len() < LONGEST) {
            (_, false) => Err(LineFault::TooLong),
            (true, _) => Err(LineFault::OpenQuote),
            _ => split(&bytes, self.delimiter).and_then(|cells| Ok((self.content(&cells)?, cells))),
        };
        Ok(match read {
            Ok((content, cells)) => Line { number, cells, content },
            Err(fault) => {
                for line in more.into_iter().rev() {
                    self.again.push_front(line);
                }
                let text = String::from_utf8_lossy(&first).replace('"', "");
                let cells = text.trim_end().split(char::from(self.delimiter)).map(str::to_owned).collect();
                Line { number, cells, content: LineContent::Malformed(fault) }
            }
        })
    }

    fn content(&self, cells: &[String]) -> Result<LineContent, LineFault> {
        if cells.len() != self.header.len() && cells.iter().any(|cell| !cell.is_empty()) {
            return Err(LineFault::Cells { cells: cells.len(), header: self.header.len() });
        }
        let cell = |at: usize| text_of(cells.get(at).map(String::as_str).unwrap_or_default());
        let [table, key, tenant, fingerprint] =
            [self.at.table, self.at.id, self.at.decision, self.at.fingerprint].map(cell);
        let fingerprint = fingerprint.trim();
        if tenant.trim().is_empty() {
            return Ok(LineContent::Undecided);
        }
        for (column, value) in [(TABLE, &*table), (ID, &*key), (FINGERPRINT, fingerprint)] {
            if value.is_empty() {
                return Err(LineFault::Empty { column });
            }
        }
        // A tenant is who is written there: `acme ` may be another one than `acme`.
        let [table, key, tenant, fingerprint] = [&*table, &*key, &*tenant, fingerprint].map(str::to_owned);
        Ok(LineContent::Decided(Decision { table, key, tenant, fingerprint }))
    }

    /// Reads the next line of the file, with its line break.
    fn physical(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        if let Some(line) = self.again.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut bytes);
        if read.map_err(|source| self.cannot_read(source))? == 0 {
            return Ok(None);
        }
        if bytes.len() == LONGEST && !bytes.ends_with(b"\n") {
            self.input.skip_until(b'\n').map_err(|source| self.cannot_read(source))?;
        }
        self.line += 1;
        Ok(Some((self.line, bytes)))
    }

    fn cannot_read(&self, source: io::Error) -> Error {
        Error::ReadReview { path: self.path.clone(), source }
    }

    pub(super) fn not_a_review(&self, what: String, hint: &'static str) -> Error {
        Error::NotAReview { path: self.path.clone(), what, hint }
    }
}

const HINT: &str =
    "`--review FILE` of a backfill writes a review; keep its first line as it is, and fill in `decision`";

fn has(header: &[String], name: &str) -> bool {
    header.iter().any(|column| column == name)
}
