//! Lines, tables and pairs of a report as people read them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;

use comfy_table::{Cell as TableCell, CellAlignment, ContentLineStyle, LineStyle, Table, TableStyle};
use tenancy_config::plain::{one_line, plain};

use crate::document::markdown::escaped;

/// A line of a report. Line breaks in it are escaped.
pub(crate) fn line(text: impl AsRef<str>) -> String {
    one_line(text.as_ref()).into_owned() + "\n"
}

/// Columns two spaces apart under one thin line.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

thread_local! {
    /// The rows that were drawn as Markdown. A report draws its tables without knowing where they are shown.
    static MARKDOWN: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// Draws tables and pairs as Markdown, and returns which lines are their rows: a name may look like a row.
pub(crate) fn as_markdown<T>(draw: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
    let before = MARKDOWN.replace(Some(BTreeSet::new()));
    let drawn = draw();
    (drawn, MARKDOWN.replace(before).unwrap_or_default())
}

fn draws_markdown() -> bool {
    MARKDOWN.with_borrow(Option::is_some)
}

fn markdown_table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let cell = |text: &str| escaped(text.strip_prefix("  ").map_or(text.to_owned(), |text| format!("– {text}")).trim());
    let names = headings.iter().map(|heading| cell(heading.strip_prefix('>').unwrap_or(heading)));
    let rule = headings.iter().map(|heading| if heading.starts_with('>') { "---:" } else { "---" }.to_owned());
    let rows = rows.into_iter().map(|row| row.iter().map(|text| cell(text)).collect());
    let lines = [names.collect(), rule.collect()]
        .into_iter()
        .chain(rows)
        .map(|cells: Vec<_>| format!("| {} |", cells.join(" | ")));
    let lines: Vec<String> = lines.collect();
    let out = lines.iter().map(|line| format!("{line}\n")).collect();
    MARKDOWN.with_borrow_mut(|drawn| drawn.iter_mut().for_each(|drawn| drawn.extend(lines.iter().cloned())));
    out
}

/// Draws a table, each cell in one line. A column whose heading begins with `>` is aligned on the right.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows = rows.into_iter().map(|row| row.iter().map(plain).collect());
    if draws_markdown() {
        return markdown_table(headings, rows);
    }
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(headings.iter().map(|heading| heading.strip_prefix('>').unwrap_or(heading)).map(TableCell::new));
    for row in rows {
        table.add_row(Vec::into_iter(row).map(TableCell::new_owned));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        // Together with the junction of the line these are two spaces between columns.
        let gap = u16::from(at + 1 < headings.len());
        column.set_padding((0, gap));
        if headings.get(at).is_some_and(|heading| heading.starts_with('>')) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if out.is_empty() {
        out.push('\n');
    }
    out
}

/// The value of a pair: one line, or a list with a line for each value.
pub(crate) struct Value(String);

impl Value {
    /// A line for each value.
    pub(crate) fn list(values: impl IntoIterator<Item = impl Display>) -> Self {
        Self(values.into_iter().map(plain).collect::<Vec<_>>().join("\n"))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self(plain(value))
    }
}

/// Draws pairs of a name and a value below each other. Further lines of a value are indented.
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, impl Into<Value>)>) -> String {
    let pairs: Vec<(&str, String)> = pairs.into_iter().map(|(name, value)| (name, value.into().0)).collect();
    if draws_markdown() {
        return markdown_table(&["", ""], pairs.into_iter().map(|(name, value)| vec![name.to_owned(), value]));
    }
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let indent = format!("\n{:width$}  ", "");
    pairs.iter().map(|(name, value)| format!("{name:width$}  {}\n", value.replace('\n', &indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_aligns_numbers_right_and_ends_no_line_with_spaces() {
        let drawn =
            table(&["table", ">rows"], [vec!["public.bookings".into(), "5".into()], vec!["x".into(), "1,000".into()]]);
        insta::assert_snapshot!(drawn, @r"
        table             rows
        ──────────────────────
        public.bookings      5
        x                1,000
        ");
    }

    #[test]
    fn a_name_makes_no_row_of_its_own() {
        let drawn = table(&["table", ">rows"], [vec!["x\n::error::".into(), "5".into()]]);
        assert_eq!(drawn, "table         rows\n──────────────────\nx\\n::error::     5\n");
    }

    #[test]
    fn values_of_several_lines_stay_in_their_column() {
        let drawn = pairs([("a", Value::list(["1", "2\n3"])), ("long", "4\n5".to_owned().into())]);
        assert_eq!(drawn, "a     1\n      2\\n3\nlong  4\\n5\n");
    }
}
