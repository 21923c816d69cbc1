//! The report of `backfill runs`.

use backfill_engine::RunRecord;

use super::Runs;
use crate::document::block::{Document, Table, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::count;

fn row(run: &RunRecord) -> Vec<String> {
    vec![
        run.id.to_string(),
        run.job.clone(),
        run.table.clone(),
        run.state.as_str().to_owned(),
        count(run.assigned),
        run.undo.as_ref().map_or_else(String::new, |undo| count(undo.undone)),
        run.started_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        format!("{} on {}", run.login, run.host),
    ]
}

impl Report for Runs {
    const NAME: &'static str = "backfill runs";
    const SCHEMA: Option<&'static str> = Some("backfill-runs/3");

    fn document(&self) -> Document {
        if self.runs.is_empty() {
            return Document::new([paragraph("Nothing was backfilled here yet.")]);
        }
        let columns = [
            number("run"),
            text("job"),
            text("table"),
            text("state"),
            number("assigned"),
            number("taken back"),
            text("began"),
            text("by"),
        ];
        Document::new([Table::new(columns, self.runs.iter().map(row)).into()])
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let line = |run: &RunRecord| {
            let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339();
            vec![
                run.id.to_string(),
                run.job.clone(),
                run.table.clone(),
                run.state.as_str().to_owned(),
                run.assigned.to_string(),
                time(run.started_at),
                run.ended_at.map(time).unwrap_or_default(),
                run.login.clone(),
                run.host.clone(),
                run.undo.as_ref().map_or(0, |undo| undo.undone).to_string(),
            ]
        };
        let header =
            vec!["run", "job", "table", "state", "assigned", "started_at", "ended_at", "login", "host", "undone"];
        Some((header, self.runs.iter().map(line).collect()))
    }
}
