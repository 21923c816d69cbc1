//! The one writer of CSV. A spreadsheet runs a cell that begins like a formula, so such a cell gets an apostrophe
//! before it, and invisible characters are written as escapes. [`text_of`] removes both again.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::plain;

/// Writes records of text. No cell can harm a person who opens the file.
#[derive(Debug)]
pub struct CsvWriter<W: Write>(csv::Writer<W>);

impl<W: Write> CsvWriter<W> {
    /// Separates cells with commas.
    pub fn new(to: W) -> Self {
        Self::with_delimiter(to, b',')
    }

    /// Separates cells with the given character.
    pub fn with_delimiter(to: W, delimiter: u8) -> Self {
        Self(csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(to))
    }

    /// Writes one record.
    ///
    /// # Errors
    /// The underlying writer fails.
    pub fn record(&mut self, texts: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
        for text in texts {
            self.0.write_field(cell(text.as_ref()).as_bytes())?;
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// Returns the underlying writer after everything was written to it.
    ///
    /// # Errors
    /// The underlying writer fails.
    pub fn into_inner(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Whether a spreadsheet would read this as a formula, also after spaces and quotes. Also true for `::`, which begins a
/// command in a CI log.
fn is_formula(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"'));
    text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with("::")
}

/// The text as it is written to the file.
fn cell(text: &str) -> Cow<'_, str> {
    let acts = text.contains(|c| c == '\\' || plain::is_unseen(c));
    let written: Cow<'_, str> = if acts { escaped(text).into() } else { text.into() };
    if is_formula(&written) { format!("'{written}").into() } else { written }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if plain::is_unseen(c) => plain::write_out(c, &mut out),
            c => out.push(c),
        }
    }
    out
}

/// The text that a cell of the file means. People type neither our apostrophe nor our backslashes, so what they typed
/// means itself.
pub fn text_of(cell: &str) -> Cow<'_, str> {
    let written = cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell);
    if written.contains('\\') { unescaped(written).into() } else { written.into() }
}

fn unescaped(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, length) = escape(after).unwrap_or(('\\', 0));
        out.push(c);
        rest = &after[length..];
    }
    out + rest
}

/// The character that an escape means, and the length of the escape; `after` is the text after its backslash.
fn escape(after: &str) -> Option<(char, usize)> {
    match after.chars().next()? {
        '\\' => Some(('\\', 1)),
        'n' => Some(('\n', 1)),
        't' => Some(('\t', 1)),
        'r' => Some(('\r', 1)),
        'u' => {
            let code = after.strip_prefix("u{")?.split_once('}')?.0;
            let c = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
            Some((c, code.len() + 3))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_run_as_a_formula_is_text() {
        for formula in
            ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "＝1", "  =1", "\u{a0}=1", "'=1", "\"=1", "::error::x"]
        {
            assert!(cell(formula).starts_with('\''), "{formula}");
        }
        for control in ["\t=1", "\r=1", "\n=1"] {
            assert!(cell(control).starts_with('\\'), "{control:?}");
        }
        assert_eq!(cell("c083f55890afa5e2"), "c083f55890afa5e2");
    }

    #[test]
    fn what_people_type_means_itself() {
        for typed in ["acme", "'acme", "=cmd", "", "'", "O'Brien", "a\\b", "\\", "C:\\data\\x", "\\u{", "\\u{110000}"] {
            assert_eq!(text_of(typed), typed);
        }
    }

    /// Names, formulas, escapes and invisible characters.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), r"(['=+@:＝ \-\t\r\n\x22]{0,3}(\\[nrtu\\]?|u\{|[a-f0-9]|\}|::|\u{202e}|.){0,8})"]
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_its_cell_is_harmless(text in text()) {
            let cell = cell(&text);
            prop_assert!(!is_formula(&cell) || cell.starts_with('\''));
            prop_assert!(!cell.contains(plain::is_unseen));
            prop_assert_eq!(text_of(&cell), text.as_str());
        }

        #[test]
        fn every_record_comes_back(
            record in prop::collection::vec(text(), 1..6),
            delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        ) {
            let mut writer = CsvWriter::with_delimiter(Vec::new(), delimiter);
            writer.record(&record).unwrap();
            let bytes = writer.into_inner().unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(&bytes[..]);
            let read = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(read.iter().map(|cell| text_of(cell).into_owned()).collect::<Vec<_>>(), record);
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1, "a record is a line");
        }
    }
}
