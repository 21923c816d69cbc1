//! The report of `backfill status`: the state of a run and its processes.

use std::time::Duration;

use backfill_engine::{RunProcessRecord, RunState, RunStatus, UndoProgress};
use chrono::{DateTime, Utc};

use tenancy_config::{CommandRef, Hint};

use crate::document::block::{Block, Document, Table, paragraph, text};
use crate::document::coverage::by_class;
use crate::document::report::Report;
use crate::number_format::{count, counted, duration};

impl Report for RunStatus {
    const NAME: &'static str = "backfill status";
    const SCHEMA: Option<&'static str> = Some("backfill-status/3");

    fn document(&self) -> Document {
        Document::new([
            paragraph(headline(self)),
            facts(self),
            paragraph(by_class(&self.coverage)),
            paragraph(next(self)),
        ])
    }
}

fn headline(status: &RunStatus) -> String {
    let run = &status.run;
    let by = run.state_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    let state = match run.state {
        // Who and when matter only where an operator changed the state, or the run ended.
        RunState::Running => "running".to_owned(),
        state => format!("{}{by} at {}", state.as_str(), time(run.state_at)),
    };
    format!("run {} on {} is {state}", run.id, run.table)
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn facts(status: &RunStatus) -> Block {
    let run = &status.run;
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("assigned", counted(run.assigned, "row", "rows")),
        row(
            "looked at",
            format!("{} in {}", counted(run.examined, "row", "rows"), counted(run.batches, "batch", "batches")),
        ),
        row("pass", run.pass.to_string()),
        row("began", format!("{} by {} on {}", time(run.started_at), run.login, run.host)),
    ];
    if run.ranges > 0 {
        rows.insert(3, row("ranges", format!("{} of {} finished", count(run.ranges_done), count(run.ranges))));
    }
    rows.extend(run.undo.as_ref().map(|undo| row("taken back", taken_back(undo))));
    rows.extend(status.processes.iter().map(|process| row("process", process_line(process))));
    Table::new([text(""), text("status")], rows).into()
}

fn taken_back(undo: &UndoProgress) -> String {
    let mut text = format!("{} of {}", count(undo.undone), counted(undo.undone + undo.kept + undo.left, "row", "rows"));
    if undo.kept > 0 {
        text.push_str(&format!(", {} left alone", count(undo.kept)));
    }
    if let Some(seconds) = undo.seconds_left {
        text.push_str(&format!(", about {} left", duration(Duration::from_secs_f64(seconds))));
    }
    text
}

fn process_line(process: &RunProcessRecord) -> String {
    let workers = counted(process.workers, "worker", "workers");
    let seen = process.heartbeat_at.format("%H:%M:%S UTC");
    match (&process.note, process.alive) {
        (_, false) => {
            format!("{} is gone; its last heartbeat was at {seen} by the server's clock then", process.holder)
        }
        (Some(note), true) => format!("{} with {workers}: {note}", process.holder),
        (None, true) => format!("{} with {workers}", process.holder),
    }
}

fn next(status: &RunStatus) -> Hint {
    let (run, id) = (&status.run, status.run.id);
    let alive = status.processes.iter().any(|process| process.alive);
    match (run.state, alive) {
        (RunState::Running, true) => Hint::quoted(CommandRef::BackfillPause { run: id }).then(" holds it."),
        (RunState::Paused, _) => Hint::quoted(CommandRef::BackfillResume { run: id }).then(" lets it go on."),
        (RunState::Running | RunState::Stopped, _) => {
            let again = CommandRef::BackfillRun { table: run.table.clone() };
            Hint::from("Nobody works at it. This goes on from where it ended: ").then_run(again)
        }
        (RunState::Done | RunState::Cancelled, _) => {
            Hint::quoted(CommandRef::BackfillUndo { run: id }).then(" takes it back.")
        }
        (RunState::Undoing, _) => {
            let again = CommandRef::BackfillUndo { run: id };
            Hint::from("Where nobody works at the undo, this goes on with it: ").then_run(again)
        }
        (RunState::Undone, _) => "It was taken back.".into(),
    }
}
