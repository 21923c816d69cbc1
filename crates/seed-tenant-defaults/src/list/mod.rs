//! The CSV file of `--csv`: a tenant a line, with the name of its organization. It is read line by line, several times, and is never in
//! memory as a whole.

mod cells;
pub(crate) mod entry;
pub(crate) mod seen_names;
pub(crate) mod slug_fault;

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, ListError, Result};
use crate::list::cells::CellError;
use crate::list::entry::Entry;
use crate::list::seen_names::SeenNames;

const TENANT: &str = "tenant";
const ORGANIZATION_NAME: &str = "organization_name";

/// Longest line, in bytes: no cell is longer than 4,000 of them.
const LONGEST_LINE: u64 = 65_536;

const COMMAS: &str = "a cell with a comma in it is written in quotes";

const QUOTES: &str =
    "quote the whole cell and double each quote in it, as in \"Acme \"\"the\"\" Corp\"; a cell holds no line break";

/// A file that was read to its end and is well formed.
#[derive(Debug, Clone)]
pub struct CheckedList {
    path: PathBuf,
    state: State,
    tenants: u64,
}

/// The size and the time of the last change, which tell whether a file is still the one that was checked.
type State = (u64, Option<SystemTime>);

fn state(metadata: &Metadata) -> State {
    (metadata.len(), metadata.modified().ok())
}

impl CheckedList {
    /// Reads the whole file and checks its form: the header, each cell, and that no tenant is named twice. It remembers 16 bytes of each line.
    ///
    /// # Errors
    /// [`Error::List`] for the first fault, [`Error::ListFile`] where the file cannot be read.
    pub fn check(path: &Path) -> Result<Self> {
        let mut list = TenantList::open(path)?;
        let metadata = list.reader.get_ref().metadata().map_err(|source| cannot_read(path, source))?;
        let (mut seen, mut tenants) = (SeenNames::default(), 0);
        while let Some(entry) = list.next()? {
            if let Some(first) = seen.add(&entry.tenant, entry.line) {
                let what = format!("`{}` stands on line {first} already", entry.tenant);
                return Err(list.wrong(entry.line, Some(list.tenant), what, None));
            }
            tenants += 1;
        }
        Ok(Self { path: path.to_owned(), state: state(&metadata), tenants })
    }

    /// How many tenants it names.
    pub fn tenants(&self) -> u64 {
        self.tenants
    }

    /// Reads it from its beginning.
    pub(crate) fn open(&self) -> Result<TenantList> {
        let list = TenantList::open(&self.path)?;
        let metadata = list.reader.get_ref().metadata().map_err(|source| cannot_read(&self.path, source))?;
        if state(&metadata) != self.state {
            return Err(Error::ListChanged { path: self.path.clone() });
        }
        Ok(list)
    }
}

fn cannot_read(path: &Path, source: io::Error) -> Error {
    Error::ListFile { path: path.to_owned(), source }
}

/// A file that is being read.
#[derive(Debug)]
pub(crate) struct TenantList {
    path: PathBuf,
    reader: BufReader<File>,
    header: Vec<String>,
    /// Positions of the two columns.
    tenant: usize,
    organization_name: usize,
    line: u64,
}

impl TenantList {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| cannot_read(path, source))?;
        if !file.metadata().map_err(|source| cannot_read(path, source))?.is_file() {
            return Err(cannot_read(path, io::Error::other("it is read more than once, so it must be a plain file")));
        }
        let (path, reader) = (path.to_owned(), BufReader::new(file));
        let mut list = Self { path, reader, header: Vec::new(), tenant: 0, organization_name: 0, line: 0 };
        list.skip_byte_order_mark()?;
        list.header = list.cells()?.unwrap_or_default().into_iter().map(|name| name.trim().to_owned()).collect();
        list.tenant = list.column(TENANT)?;
        list.organization_name = list.column(ORGANIZATION_NAME)?;
        Ok(list)
    }

    fn skip_byte_order_mark(&mut self) -> Result<()> {
        let start = self.reader.fill_buf().map_err(|source| cannot_read(&self.path, source))?;
        if start.starts_with(b"\xEF\xBB\xBF") {
            self.reader.consume(3);
        } else if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
            let hint = Some("save it as \"CSV UTF-8\"");
            return Err(self.wrong(1, None, "the file is UTF-16, and must be UTF-8".into(), hint));
        }
        Ok(())
    }

    /// The position of a column in the header.
    fn column(&self, name: &str) -> Result<usize> {
        let mut positions = self.header.iter().enumerate().filter(|(_, column)| *column == name).map(|(at, _)| at);
        match (positions.next(), positions.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(again)) => {
                Err(self.wrong(self.line, Some(again), format!("the header has `{name}` twice"), None))
            }
            (None, _) => {
                let has = if self.header.is_empty() { "no header".to_owned() } else { self.header.join(",") };
                let what = format!("the column `{name}` is missing; there is {has}");
                let hint = if self.header.len() == 1 && self.header[0].contains([';', '\t']) {
                    "commas separate the columns"
                } else {
                    "the first line is the header: tenant,organization_name"
                };
                Err(self.wrong(self.line.max(1), None, what, Some(hint)))
            }
        }
    }

    /// The next tenant; empty lines are skipped.
    ///
    /// # Errors
    /// [`Error::List`] for what is wrong with it.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        let Some(mut cells) = self.cells()? else { return Ok(None) };
        if cells.len() != self.header.len() {
            let (has, wanted) = (cells.len(), self.header.len());
            let (what, hint) = match has < wanted {
                true => (format!("it is missing: the header has {wanted} columns, the line {has}"), None),
                false => (format!("it is too many: the header has {wanted} columns, the line {has}"), Some(COMMAS)),
            };
            return Err(self.wrong(self.line, Some(has.min(wanted)), what, hint));
        }
        let name = std::mem::take(&mut cells[self.organization_name]);
        if !name.is_empty() && name.trim().is_empty() {
            let hint = Some("leave the cell empty for the default name");
            return Err(self.wrong(self.line, Some(self.organization_name), "it is white space alone".into(), hint));
        }
        // As it stands there: a slug may begin or end with a blank, and another one may not.
        let tenant = std::mem::take(&mut cells[self.tenant]);
        if tenant.trim().is_empty() {
            return Err(self.wrong(self.line, Some(self.tenant), "it names no tenant".into(), None));
        }
        let organization_name = (!name.is_empty()).then(|| name.trim().to_owned());
        Ok(Some(Entry { line: self.line, tenant, organization_name }))
    }

    /// The next tenants, at most `most`; none at the end.
    ///
    /// # Errors
    /// [`Error::List`] for the first line that is wrong.
    pub(crate) fn chunk(&mut self, most: usize) -> Result<Vec<Entry>> {
        let mut chunk = Vec::new();
        while chunk.len() < most
            && let Some(entry) = self.next()?
        {
            chunk.push(entry);
        }
        Ok(chunk)
    }

    /// The cells of the next line that is not empty.
    fn cells(&mut self) -> Result<Option<Vec<String>>> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = self.reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes);
            if read.map_err(|source| cannot_read(&self.path, source))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let cut = !bytes.ends_with(b"\n") && bytes.len() as u64 == LONGEST_LINE;
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                return self.split(line, cut).map(Some);
            }
        }
    }

    fn split(&self, line: &[u8], cut: bool) -> Result<Vec<String>> {
        // In a line that is too long or not UTF-8, the valid beginning shows which cell is wrong.
        let (text, fault) = match std::str::from_utf8(line) {
            Ok(text) if cut => (text, Some(("the line is longer than 64 KiB", None))),
            Ok(text) => (text, None),
            Err(error) => {
                let valid = std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default();
                (valid, Some(("it is not UTF-8", Some("save it as \"CSV UTF-8\""))))
            }
        };
        match (cells::split(text), fault) {
            (Ok(cells), None) => Ok(cells),
            (Ok(cells), Some((what, hint))) => Err(self.wrong(self.line, Some(cells.len() - 1), what.into(), hint)),
            (Err(CellError { cell, open: true, .. }), Some((what, hint))) => {
                Err(self.wrong(self.line, Some(cell - 1), what.into(), hint))
            }
            (Err(CellError { cell, what, .. }), _) => {
                let hint = what.contains("quote").then_some(QUOTES);
                Err(self.wrong(self.line, Some(cell - 1), what.into_owned(), hint))
            }
        }
    }

    /// An error at a line and a column, counted from 0.
    pub(crate) fn wrong(&self, line: u64, column: Option<usize>, what: String, hint: Option<&'static str>) -> Error {
        let column = column.map(|at| (at + 1, self.header.get(at).cloned()));
        Error::List(ListError { path: self.path.clone(), line, column, what, hint })
    }

    /// The position of the column with the tenants.
    pub(crate) fn tenant_column(&self) -> usize {
        self.tenant
    }
}
