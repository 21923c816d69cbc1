//! The report as Markdown, at the end of the file that CI shows beside a job (`GITHUB_STEP_SUMMARY`).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use tenancy_config::files;
use tenancy_config::plain::lines;

use crate::document::markdown::escaped;
use crate::document::report::Report;
use crate::document::text;
use crate::terminal::printer::Printer;

/// The variable that names the file, as GitHub Actions and Forgejo set it.
pub(crate) const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// Appends the report to `file`, if there is one. If that fails it is a warning, as the report itself has been written.
pub(crate) fn append<R: Report>(report: &R, file: Option<OsString>, printer: &Printer) {
    let Some(path) = file.filter(|name| !name.is_empty()).map(PathBuf::from) else { return };
    if R::SECRET {
        return;
    }
    let (report, rows) = text::as_markdown(|| report.table());
    let text = format!("### {}\n\n{}\n", R::NAME, markdown(&report, &rows));
    if let Err(error) = files::append(&path, text) {
        printer.warning(&format!("no summary ({VARIABLE}): {error}"));
    }
}

/// A report's paragraphs and tables as Markdown. `rows` are the lines of its tables; indented lines are items of a list.
fn markdown(report: &str, rows: &BTreeSet<String>) -> String {
    let mut out = String::new();
    let mut last = Kind::Blank;
    for line in lines(report).lines() {
        let (kind, text) = match line.trim_start() {
            "" => (Kind::Blank, String::new()),
            row if rows.contains(row) => (Kind::Row, row.to_owned()),
            item if line.starts_with("  ") => {
                (Kind::Item, format!("- {}", escaped(item.strip_prefix("- ").unwrap_or(item))))
            }
            text => (Kind::Text, escaped(text)),
        };
        // Markdown joins lines that follow each other, and reads a table only after an empty line.
        if last == Kind::Text && kind == Kind::Text {
            out.truncate(out.trim_end_matches('\n').len());
            out.push_str("  \n");
        } else if last != Kind::Blank && kind != Kind::Blank && last != kind {
            out.push('\n');
        }
        if kind != Kind::Blank || last != Kind::Blank {
            out.push_str(&text);
            out.push('\n');
        }
        last = kind;
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Row,
    Item,
    Text,
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Example {
        name: &'static str,
    }

    impl Report for Example {
        const NAME: &'static str = "example";
        const SCHEMA: Option<&'static str> = None;

        fn table(&self) -> String {
            let rows = [vec![self.name.to_owned(), "1,000".to_owned()], vec!["  by client".to_owned(), "5".to_owned()]];
            let table = text::table(&["table", ">rows"], rows);
            format!(
                "public.bookings: done\nin 5 s\n\n{table}\nOne row was refused:\n  a<b>: *no*\n  | <img>: no\n\nNext: audit\n"
            )
        }
    }

    #[derive(Serialize)]
    struct Secret;

    impl Report for Secret {
        const NAME: &'static str = "secret";
        const SCHEMA: Option<&'static str> = None;
        const SECRET: bool = true;

        fn table(&self) -> String {
            "password".to_owned()
        }
    }

    fn printer() -> Printer {
        Printer::new(true, false, None)
    }

    #[test]
    fn tables_are_tables_and_lists_are_lists_and_nothing_else_is_markup() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.md");
        for name in ["public.bookings", "odd|name\nof_two lines"] {
            append(&Example { name }, Some(file.clone().into_os_string()), &printer());
        }
        insta::assert_snapshot!(std::fs::read_to_string(&file).unwrap());
        assert!(text::table(&["a"], [vec!["b".to_owned()]]).starts_with("a\n─"), "for people again");
    }

    #[test]
    fn no_secret_gets_into_it_and_no_file_where_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.md");
        append(&Secret, Some(file.clone().into_os_string()), &printer());
        append(&Example { name: "x" }, None, &printer());
        append(&Example { name: "x" }, Some(OsString::new()), &printer());
        assert!(!file.exists());
    }
}
