//! Findings as annotations of a GitHub workflow, which show beside the commit; elsewhere as plain lines.

use crate::printer::Printer;

/// Says one finding so that nobody has to open the log.
pub(crate) fn error(printer: &Printer, in_workflow: bool, title: &str, message: &str) {
    if in_workflow {
        // Workflow commands are read from both streams; stdout is for the report.
        printer.line(&format!("::error title={}::{}", property(title), data(message)));
    } else {
        printer.line(&format!("finding: {title}: {message}"));
    }
}

/// A message, escaped as the runner unescapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, in which also `:` and `,` mean something.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_the_command_it_stands_in() {
        assert_eq!(property("a:b,c\n::error::x"), "a%3Ab%2Cc%0A%3A%3Aerror%3A%3Ax");
        assert_eq!(data("100%\nmore"), "100%25%0Amore");
    }
}
