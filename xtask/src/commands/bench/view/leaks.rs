//! The report of `bench leaks`.

use std::fmt::Write as _;
use std::time::Duration;

use bench::{CaseReport, Expected, LeaksReport, Outcome, Score};

use crate::document::report::Report;
use crate::document::text::table;
use crate::number_format::duration;

impl Report for LeaksReport {
    const NAME: &'static str = "bench leaks";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let headings = ["family", ">leaks", ">found", ">clean", ">false alarms", ">pgrls: found", ">false alarms"];
        let columns = if self.other_tool.is_some() { headings.len() } else { headings.len() - 2 };
        let line = |name: &str, score: Score| {
            let Score { planted, found, clean, false_alarms, other_found, other_false_alarms } = score;
            let numbers = [planted, found, clean, false_alarms, other_found, other_false_alarms];
            let mut cells = vec![name.to_owned()];
            cells.extend(numbers.map(|number| number.to_string()));
            cells.truncate(columns);
            cells
        };
        let families = self.families();
        let mut lines: Vec<Vec<String>> =
            families.iter().map(|family| line(family, self.score(Some(family)))).collect();
        lines.push(line("all", self.score(None)));
        let took = duration(Duration::try_from_secs_f64(self.seconds).unwrap_or_default());
        let mut text = format!("{}\n", table(&headings[..columns], lines));
        for case in self.cases.iter().filter(|case| case.outcome != Outcome::Right) {
            let _ = writeln!(text, "{}", wrong(case));
        }
        if let Some(tool) = &self.other_tool {
            let _ = writeln!(
                text,
                "{}: its {} findings before anything was planted count for nothing.",
                tool.name, tool.before
            );
        }
        let _ = writeln!(text, "PostgreSQL {}, {took}.", self.server);
        text
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
