//! The three shapes of a report: a table for people, versioned JSON and CSV for programs.

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Mistake;
use crate::printer::Printer;

/// The value of `--format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people
    #[default]
    Table,
    /// One object whose `schema` tells name and version; within a version, fields are only added
    Json,
    /// One line per item, with a header line
    Csv,
}

/// The names of the formats.
pub(crate) const FORMATS: [&str; 3] = ["table", "json", "csv"];

/// What a command answers; it serializes as its JSON shape.
pub(crate) trait Report: Serialize {
    /// The report's name in messages.
    const NAME: &'static str;
    /// Name and version of the JSON shape, such as `doctor/1`; `None` where the job's own report carries it already. The
    /// version is raised when a field is renamed, removed or changes its meaning.
    const SCHEMA: Option<&'static str>;
    /// Whether CI may show it to everybody who sees the job: not where it holds a secret.
    const SUMMARIZED: bool = true;

    /// The report for people, with a line break at its end.
    fn table(&self) -> String;

    /// Header and lines, where the report is a list.
    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        None
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes the report in the shape asked for.
///
/// # Errors
/// The report has no such shape, or the place cannot be written to.
pub(crate) fn write<R: Report>(report: &R, format: Format, printer: &Printer) -> anyhow::Result<()> {
    match format {
        Format::Table => printer.data(&report.table()),
        Format::Json => {
            let document = Document { schema: R::SCHEMA, body: report };
            let mut text = serde_json::to_string_pretty(&document)?;
            text.push('\n');
            printer.data(&text)
        }
        Format::Csv => {
            let (header, rows) = report.csv().ok_or_else(|| no_csv(R::NAME))?;
            printer.data(&csv_text(&header, &rows)?)
        }
    }
}

fn csv_text(header: &[&str], rows: &[Vec<String>]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Tells before anything is done that a report is no list.
///
/// # Errors
/// [`Format::Csv`] was asked for.
pub(crate) fn refuse_csv(name: &str, format: Format) -> anyhow::Result<()> {
    if format == Format::Csv { Err(no_csv(name)) } else { Ok(()) }
}

fn no_csv(name: &str) -> anyhow::Error {
    Mistake::usage(
        format!("the report of `{name}` is not a list and has no CSV form"),
        "use --format table or --format json",
    )
}
