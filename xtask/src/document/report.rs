//! The forms of a report: a document for people, versioned JSON and CSV for programs.

use clap::ValueEnum;
use serde::Serialize;
use tenancy_config::files::Readers;

use crate::context::command_error::{CommandError, OrFailed};
use crate::context::failure::CommandFailure;
use crate::document::block::Document;
use crate::document::{html, markdown, terminal};
use crate::terminal::harmless::Harmless;
use crate::terminal::printer::Printer;

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
    /// Markdown, as GitHub reads it
    Md,
    /// One page of HTML that needs no other file
    Html,
}

/// The result of a command. It serializes as its JSON shape.
pub(crate) trait Report: Serialize {
    /// The report's name in messages.
    const NAME: &'static str;
    /// Name and version of the JSON shape, such as `doctor/1`; `None` where the job's own report carries it already. The
    /// version is raised when a field is renamed, removed or changes its meaning.
    const SCHEMA: Option<&'static str>;
    /// Whether it is a secret, such as a session: then CI does not show it, and only the owner can read a file of it.
    const SECRET: bool = false;

    /// The report for people.
    fn document(&self) -> Document;

    /// Header and lines, if the report is a list.
    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        None
    }
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes the report in the shape asked for.
///
/// # Errors
/// The report has no such shape, or the place cannot be written to.
pub(crate) fn write<R: Report>(report: &R, format: Format, printer: &Printer) -> Result<(), CommandFailure> {
    let readers = if R::SECRET { Readers::Owner } else { Readers::Usual };
    let written = match format {
        Format::Table => Harmless::text(&terminal::render(&report.document(), printer.width())),
        Format::Md => Harmless::text(&markdown_page(report, 1)),
        Format::Html => Harmless::text(&html::render(&report.document(), R::NAME)),
        Format::Json => {
            Harmless::json(&Versioned { schema: R::SCHEMA, body: report }).or_failed("cannot write JSON")?
        }
        Format::Csv => {
            let (header, rows) = report.csv().ok_or_else(|| no_csv(R::NAME))?;
            let header = header.into_iter().map(str::to_owned).collect();
            Harmless::csv(std::iter::once(header).chain(rows)).or_failed("cannot write CSV")?
        }
    };
    printer.report(&written, readers)
}

/// The report below a heading with its name, of so many `#`.
pub(crate) fn markdown_page<R: Report>(report: &R, level: usize) -> String {
    format!("{} {}\n\n{}", "#".repeat(level), R::NAME, markdown::render(&report.document(), level))
}

/// Refuses CSV, before the command begins, for a report that is no list.
///
/// # Errors
/// [`Format::Csv`] was asked for.
pub(crate) fn refuse_csv(name: &str, format: Format) -> Result<(), CommandFailure> {
    if format == Format::Csv { Err(no_csv(name)) } else { Ok(()) }
}

fn no_csv(name: &str) -> CommandFailure {
    CommandError::usage(
        format!("the report of `{name}` is not a list and has no CSV form"),
        "use --format table or --format json",
    )
}
