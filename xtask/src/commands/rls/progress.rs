//! Progress of a rollout or a rollback, as notes.

use rls_rollout::{CheckResult, RolloutEvent};

use crate::number_format::{counted, duration};
use crate::terminal::printer::Printer;

/// Says what a rollout or rollback is doing, with a line for each step.
pub(super) fn tell(printer: &Printer, event: &RolloutEvent) {
    match event {
        RolloutEvent::Checked { check } => match check.verdict() {
            CheckResult::Fine | CheckResult::Failed => printer.note(&check.to_string()),
            CheckResult::Reminder => printer.note(&format!("remember, {check}")),
            CheckResult::Warning => printer.warning(&check.to_string()),
            CheckResult::Unreadable => printer.warning(&format!("not everything can be seen: {check}")),
        },
        RolloutEvent::Queued { holder } => {
            printer.note(&format!("{holder} holds the lease; waiting to see whether they are alive"));
        }
        RolloutEvent::Step { table, step, lock, .. } => printer.note(&format!("{table}: {step} ({lock})")),
        RolloutEvent::Waiting { table, step, blockers, wait, lock_timeout } => {
            let names: Vec<String> = blockers.iter().map(|blocker| blocker.beside(table)).collect();
            let held =
                if names.is_empty() { "it is free now".to_owned() } else { format!("held by {}", names.join("; ")) };
            let (wait, limit) = (duration(*wait), duration(*lock_timeout));
            printer.warning(&format!(
                "{table}: could not {step}: no lock in time, {held}; trying again in {wait}, for up to {limit}"
            ));
        }
        RolloutEvent::Form { table, through } => printer.note(&format!("{table}: {through}")),
        RolloutEvent::Filling { table, rows } => {
            let rows = counted(*rows, "row", "rows");
            printer.note(&format!("{table}: giving {rows} the tenant of the row that each points to"));
        }
        RolloutEvent::Auditing { done, of } => {
            if done == of {
                printer.note(&format!("audited {}", counted(*of as u64, "table", "tables")));
            }
        }
    }
}
