//! The report of `bench leaks`.

use std::time::Duration;

use bench::{CaseReport, CaseResult, Expected, LeaksReport, Score};

use crate::document::block::{Document, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::duration;

impl Report for LeaksReport {
    const NAME: &'static str = "bench leaks";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let headings = ["leaks", "found", "clean", "false alarms", "pgrls: found", "pgrls: false alarms"];
        let shown = if self.other_tool.is_some() { headings.len() } else { headings.len() - 2 };
        let row = |name: &str, score: Score| {
            let Score { planted, found, clean, false_alarms, other_found, other_false_alarms } = score;
            let numbers = [planted, found, clean, false_alarms, other_found, other_false_alarms];
            let numbers = numbers.into_iter().take(shown).map(|number| number.to_string());
            std::iter::once(name.to_owned()).chain(numbers).collect::<Vec<String>>()
        };
        let families = self.families();
        let mut rows: Vec<Vec<String>> = families.iter().map(|family| row(family, self.score(Some(family)))).collect();
        rows.push(row("all", self.score(None)));
        let numbers = headings.into_iter().take(shown).map(number);
        let mut document = Document::new([Table::new(std::iter::once(text("family")).chain(numbers), rows).into()]);
        let wrong: Vec<String> =
            self.cases.iter().filter(|case| case.outcome != CaseResult::Right).map(wrong).collect();
        if !wrong.is_empty() {
            document.push(lines(wrong));
        }
        document.push(lines(circumstances(self)));
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let line = |case: &CaseReport| {
            let other = case.other_tool.map(|found| found.to_string()).unwrap_or_default();
            vec![
                case.family.to_owned(),
                case.name.to_owned(),
                expected(case.expected).to_owned(),
                case.outcome.to_string(),
                other,
                format!("{:.3}", case.seconds),
            ]
        };
        let header = vec!["family", "case", "expected", "outcome", "pgrls", "seconds"];
        Some((header, self.cases.iter().map(line).collect()))
    }
}

/// What the figures depend on.
fn circumstances(report: &LeaksReport) -> Vec<String> {
    let took = duration(Duration::try_from_secs_f64(report.seconds).unwrap_or_default());
    let mut lines = vec![format!("PostgreSQL {}, {took}.", report.server)];
    lines.extend(
        report.other_tool.as_ref().map(|tool| {
            format!("{}: its {} findings before anything was planted do not count.", tool.name, tool.before)
        }),
    );
    lines
}

fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Leak => "leak",
        Expected::Clean => "clean",
        Expected::Unproven => "unproven",
    }
}

fn wrong(case: &CaseReport) -> String {
    let why = match (&case.broken, case.lines.first()) {
        (Some(broken), _) => format!(": {broken}"),
        (None, Some(line)) => format!(": {line}"),
        (None, None) => String::new(),
    };
    format!("{}/{}: {}{why}", case.family, case.name, case.outcome)
}
