//! The report of a rollout: the phase of each table, and what stopped it.

use rls_rollout::{RolloutReport, TableOutcome, sentences};
use tenant_inventory::Phase;

use crate::commands::rls::coverage::beside;
use crate::document::report::Report;
use crate::document::text::{line, table};
use crate::number_format::{count, counted, duration};

impl Report for RolloutReport {
    const NAME: &'static str = "rls rollout";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let rows = self.tables.iter().map(|outcome| {
            vec![
                outcome.table.to_string(),
                outcome.before.to_string(),
                outcome.after.to_string(),
                count(outcome.steps as u64),
                duration(std::time::Duration::from_millis(outcome.milliseconds)),
            ]
        });
        let mut out = table(&["table", "was", "is", ">steps", ">time"], rows);
        out.push_str(&notes("Stopped", self, |outcome| sentences(&outcome.stopped_by)));
        out.push_str(&notes("Let through", self, |outcome| sentences(&outcome.waived)));
        out.push_str(&notes("Replaced", self, |outcome| sentences(&outcome.replaced)));
        out.push_str(&beside(&self.coverage));
        out.push_str(&format!("\n{}\n", conclusion(self)));
        out
    }
}

fn notes(heading: &str, report: &RolloutReport, of: impl Fn(&TableOutcome) -> String) -> String {
    let lines: Vec<String> = report
        .tables
        .iter()
        .filter(|outcome| !of(outcome).is_empty())
        .map(|outcome| line(format!("  {}: {}", outcome.table, of(outcome))))
        .collect();
    if lines.is_empty() { String::new() } else { format!("\n{heading}:\n{}", lines.concat()) }
}

fn conclusion(report: &RolloutReport) -> String {
    let steps: usize = report.tables.iter().map(|outcome| outcome.steps).sum();
    let done = match report.rollout {
        None if report.is_complete() => "Nothing was left to do.".to_owned(),
        None => "No table could go on.".to_owned(),
        Some(number) => {
            let steps = counted(steps as u64, "step", "steps");
            format!("Rollout {number} did {steps}. To take it back: cargo xtask rls rollback --run {number}")
        }
    };
    let enforced = report.tables.iter().all(|outcome| outcome.after == Phase::Enforce);
    let next = if report.stopped {
        "Stopped; the same command goes on from here."
    } else if !report.is_complete() {
        "Next: cargo xtask audit shows the rows that are in the way; then the same command again."
    } else if enforced {
        "The tables listed above are under FORCE ROW LEVEL SECURITY. cargo xtask inventory shows the others."
    } else {
        "Next: cargo xtask rls status"
    };
    format!("{done}\n{next}")
}
