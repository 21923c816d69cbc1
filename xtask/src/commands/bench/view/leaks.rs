//! The report of `bench leaks`.

use std::time::Duration;

use bench::{CaseReport, Expected, LeaksReport, Outcome, Score};

use crate::document::block::{Document, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::duration;

impl Report for LeaksReport {
    const NAME: &'static str = "bench leaks";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let numbers = ["leaks", "found", "clean", "false alarms", "pgrls: found", "false alarms"];
        let shown = if self.other_tool.is_some() { numbers.len() } else { numbers.len() - 2 };
        let line = |name: &str, score: Score| {
            let Score { planted, found, clean, false_alarms, other_found, other_false_alarms } = score;
            let scores = [planted, found, clean, false_alarms, other_found, other_false_alarms];
            let scores = scores.into_iter().take(shown).map(|number| number.to_string());
            [name.to_owned()].into_iter().chain(scores).collect::<Vec<_>>()
        };
        let families = self.families();
        let rows = families.iter().map(|family| line(family, self.score(Some(family))));
        let rows = rows.chain([line("all", self.score(None))]);
        let columns = [text("family")].into_iter().chain(numbers.into_iter().take(shown).map(number));
        let took = duration(Duration::try_from_secs_f64(self.seconds).unwrap_or_default());
        let wrong = self.cases.iter().filter(|case| case.outcome != Outcome::Right).map(wrong);
        let other = self.other_tool.as_ref().map(|tool| {
            format!("{}: its {} findings before anything was planted count for nothing.", tool.name, tool.before)
        });
        let said = wrong.chain(other).chain([format!("PostgreSQL {}, {took}.", self.server)]);
        Document::new([Table::new(columns, rows).into(), lines(said)])
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
