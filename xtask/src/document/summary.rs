//! The report as Markdown, at the end of the file that CI shows beside a job (`GITHUB_STEP_SUMMARY`).

use std::ffi::OsString;
use std::path::PathBuf;

use tenancy_config::files;

use crate::document::report::{Report, markdown_page};
use crate::terminal::harmless::Harmless;
use crate::terminal::printer::Printer;

/// The variable that names the file, as GitHub Actions and Forgejo set it.
pub(crate) const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// Appends the report to `file`, if there is one. If that fails it is a warning, as the report itself has been written.
pub(crate) fn append<R: Report>(report: &R, file: Option<OsString>, printer: &Printer) {
    let Some(path) = file.filter(|name| !name.is_empty()).map(PathBuf::from) else { return };
    if R::SECRET {
        return;
    }
    let text = Harmless::text(&format!("{}\n", markdown_page(report, 3)));
    if let Err(error) = files::append(&path, text.as_str()) {
        printer.warning(&format!("no summary ({VARIABLE}): {error}"));
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use tenancy_config::{CommandRef, Hint};

    use super::*;
    use crate::document::block::{Cell, Document, List, Table, code, lines, number, paragraph, text};

    #[derive(Serialize)]
    struct Example {
        name: &'static str,
    }

    impl Report for Example {
        const NAME: &'static str = "example";
        const SCHEMA: Option<&'static str> = None;

        fn document(&self) -> Document {
            let rows = [[self.name.into(), Cell::from("1,000")], [Cell::nested(1, "by client"), "5".into()]];
            Document::new([
                lines(["public.bookings: done", "in 5 s"]),
                Table::new([text("table"), number("rows")], rows).into(),
                List::new("One row was refused:", ["a<b>: *no*", "| <img>: no"]).into(),
                paragraph(Hint::from("Next: ").then_run(CommandRef::Audit)),
            ])
        }
    }

    #[derive(Serialize)]
    struct Secret;

    impl Report for Secret {
        const NAME: &'static str = "secret";
        const SCHEMA: Option<&'static str> = None;
        const SECRET: bool = true;

        fn document(&self) -> Document {
            Document::new([code("", "password")])
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
