//! The cells of one record of a CSV file.

use crate::review::refusal::LineFault;

pub(super) fn has_open_quote(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1
}

/// Splits one record into cells, or says why it cannot.
pub(super) fn split(bytes: &[u8], delimiter: u8) -> Result<Vec<String>, LineFault> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(bytes.len().max(1));
    let mut records = builder.from_reader(bytes).into_byte_records();
    let Some(record) = records.next().transpose().map_err(|error| LineFault::NoCsv { message: error.to_string() })?
    else {
        return Ok(Vec::new());
    };
    if records.next().is_some() {
        return Err(LineFault::CarriageReturn);
    }
    let text = |cell: &[u8]| String::from_utf8(cell.to_vec()).map_err(|_| LineFault::NotUtf8);
    record.iter().map(text).collect()
}
