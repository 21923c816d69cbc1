//! The CSV file of a mapping: the columns `from` and `to`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use tenancy_config::csv::text_of;

use crate::error::{Error, Result};
use crate::map::{MOST_VALUES, MapPair};

/// The longest file, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads the pairs of a file. A line without a tenant means NULL if `to_null`, and is left out otherwise.
///
/// # Errors
/// [`Error::ReadReview`] if the file cannot be read; [`Error::NotAMapping`] if it has another form, maps one value twice, maps nothing, or
/// is too long.
pub fn pairs_of(path: &Path, to_null: bool) -> Result<Vec<MapPair>> {
    let cannot = |source| Error::ReadReview { path: path.to_owned(), source };
    let wrong = |what: String| Error::NotAMapping { path: path.to_owned(), what };
    let mut text = Vec::new();
    File::open(path).map_err(cannot)?.take(LONGEST + 1).read_to_end(&mut text).map_err(cannot)?;
    if text.len() as u64 > LONGEST {
        return Err(wrong("it is longer than 1 MiB; divide it".to_owned()));
    }
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_slice());
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let column = |name: &str| {
        let at: Vec<usize> =
            header.iter().enumerate().filter(|(_, header)| *header == name).map(|(at, _)| at).collect();
        match at[..] {
            [at] => Ok(at),
            [] => Err(wrong(format!(
                "it has no column `{name}`; its first line is `{}`",
                header.iter().collect::<Vec<_>>().join(",")
            ))),
            _ => Err(wrong(format!("it has the column `{name}` twice"))),
        }
    };
    let (from, to) = (column("from")?, column("to")?);
    let mut pairs: BTreeMap<String, Option<String>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let cell = |at: usize| text_of(record.get(at).unwrap_or_default()).into_owned();
        let (from, to) = (cell(from), cell(to));
        let to = (!to.trim().is_empty()).then_some(to);
        if from.contains('\0') {
            return Err(wrong("a value holds a NUL".to_owned()));
        }
        if to.is_none() && !to_null {
            continue;
        }
        match pairs.get(&from) {
            Some(known) if *known != to => return Err(wrong(format!("it maps {from:?} to two tenants"))),
            _ => pairs.insert(from, to),
        };
    }
    match pairs.len() {
        0 => Err(wrong("no line of it names a tenant; --to-null takes such lines for NULL".to_owned())),
        all if all > MOST_VALUES => {
            Err(wrong(format!("it maps {all} values, and one run takes up to {MOST_VALUES}; divide it")))
        }
        _ => Ok(pairs.into_iter().map(|(from, to)| MapPair { from, to }).collect()),
    }
}
