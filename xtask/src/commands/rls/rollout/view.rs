//! The report of a rollout: the phase of each table, and what stopped it.

use std::collections::BTreeSet;

use rls_rollout::{Filled, Goal, LeftOutcome, LoginOutcome, Remedy, RolloutReport, Stop, TableOutcome, sentences};
use tenancy_config::plain::plain;
use tenancy_config::{CommandRef, Hint};
use tenant_inventory::Phase;

use crate::commands::rls::coverage::beside;
use crate::commands::rls::next;
use crate::document::block::{Block, Document, List, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::{count, counted, duration};

impl Report for RolloutReport {
    const NAME: &'static str = "rls rollout";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let rows = self.tables.iter().map(|outcome| {
            vec![
                outcome.table.to_string(),
                outcome.before.to_string(),
                outcome.after.to_string(),
                count(outcome.steps as u64),
                duration(std::time::Duration::from_millis(outcome.milliseconds)),
            ]
        });
        let columns = [text("table"), text("was"), text("is"), number("steps"), number("time")];
        if self.goal == Goal::Logins {
            let of_logins = self.logins.iter().map(login).chain(left(&self.left));
            return Document::new(of_logins.chain([conclusion(self)]));
        }
        let mut document = Document::new([Table::new(columns, rows).into()]);
        document.extend(notes("Stopped:", self, |outcome| sentences(&outcome.stopped_by)));
        document.extend(self.logins.iter().map(login));
        document.extend(left(&self.left));
        document.extend(notes("Filled:", self, |outcome| outcome.filled.as_ref().map(filled).unwrap_or_default()));
        document.extend(notes("Let through:", self, |outcome| sentences(&outcome.waived)));
        document.extend(notes("Replaced:", self, |outcome| sentences(&outcome.replaced)));
        let not_added = self.not_added.iter().map(|table| format!("{}: {}", table.table, table.sentence()));
        document.extend(List::new("No column:", not_added).unless_empty());
        document.extend(beside(&self.coverage));
        document.push(conclusion(self));
        document
    }
}

fn notes(title: &str, report: &RolloutReport, of: impl Fn(&TableOutcome) -> String) -> Option<Block> {
    let noted = report.tables.iter().filter(|outcome| !of(outcome).is_empty());
    List::new(title, noted.map(|outcome| format!("{}: {}", outcome.table, of(outcome)))).unless_empty()
}

/// What was done for a declared login. A password stands in its file alone.
fn login(done: &LoginOutcome) -> Block {
    let LoginOutcome { role, purpose, .. } = done;
    let made = done.password_file.as_ref().map(|path| {
        format!(
            "Made the login {role} for {purpose}; its password is in {}, which only you can read.",
            plain(path.display())
        )
    });
    let gave = (done.password_file.is_none() && done.steps > 0)
        .then(|| format!("Gave the login {role} what tenancy.toml declares for {purpose}."));
    let stopped = done.stopped_by.iter().map(|stop| format!("The login {role} for {purpose} stopped: {stop}."));
    let nothing = (done.steps == 0 && done.stopped_by.is_empty())
        .then(|| format!("The login {role} has what tenancy.toml declares for {purpose}."));
    lines(made.into_iter().chain(gave).chain(stopped).chain(nothing))
}

/// What was taken from roles that `tenancy.toml` names no more.
fn left(outcomes: &[LeftOutcome]) -> Option<Block> {
    let took = |outcome: &LeftOutcome| {
        let role = &outcome.role;
        let done = match (outcome.dropped, outcome.steps) {
            (true, _) => {
                Some(format!("Dropped the role {role}, which a rollout had made and tenancy.toml names no more."))
            }
            (false, 0) => None,
            (false, _) => {
                Some(format!("Took from {role} what rollouts had given it and tenancy.toml declares no more."))
            }
        };
        let stopped = outcome.stopped_by.iter().map(|stop| format!("Left: {stop}.")).collect::<Vec<_>>();
        done.into_iter().chain(stopped)
    };
    let said: Vec<String> = outcomes.iter().flat_map(took).collect();
    (!said.is_empty()).then(|| lines(said))
}

/// What a backfill put into a tenant column that the rollout added.
fn filled(filled: &Filled) -> String {
    let rows = counted(filled.rows, "row got", "rows got");
    let left = match filled.remaining {
        0 => "none is left without one".to_owned(),
        rows => format!("{} left without one", counted(rows, "row is", "rows are")),
    };
    format!("{rows} the tenant of the row that it points to (run {}); {left}", filled.run)
}

fn conclusion(report: &RolloutReport) -> Block {
    let steps: usize = report.tables.iter().map(|outcome| outcome.steps).sum::<usize>()
        + report.logins.iter().map(|login| login.steps).sum::<usize>()
        + report.left.iter().map(|left| left.steps).sum::<usize>();
    let done = match report.rollout {
        None if report.goal == Goal::Logins => Hint::from("No step was left for the logins."),
        None if report.is_complete() => Hint::from("No step was left for the tables above."),
        None => "No table could go on.".into(),
        Some(number) => {
            let steps = counted(steps as u64, "step", "steps");
            Hint::from(format!("Rollout {number} did {steps}. To take it back: "))
                .then_run(CommandRef::RlsRollbackRun { rollout: number })
        }
    };
    let enforced = report.tables.iter().all(|outcome| outcome.after == Phase::Enforce);
    let of_logins = report.logins.iter().flat_map(|login| &login.stopped_by);
    let of_left = report.left.iter().flat_map(|left| &left.stopped_by);
    let remedies: BTreeSet<Remedy> = report
        .tables
        .iter()
        .flat_map(|table| &table.stopped_by)
        .chain(of_logins)
        .chain(of_left)
        .map(Stop::remedy)
        .collect();
    if !report.stopped && !remedies.is_empty() {
        return lines(std::iter::once(done).chain(next::for_stopped(remedies, &"the same command again.".into())));
    }
    let next = if report.stopped {
        Hint::from("Stopped; the same command goes on from here.")
    } else if enforced {
        let next = next::for_uncovered(&report.coverage).unwrap_or_else(next::verify);
        Hint::from("The tables listed above are under FORCE ROW LEVEL SECURITY. ").then_hint(next)
    } else {
        Hint::from("Next: ").then_run(CommandRef::RlsStatus)
    };
    lines([done, next])
}
