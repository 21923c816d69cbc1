//! The report of `backfill why`.

use backfill_engine::Assignment;

use super::Why;
use crate::commands::backfill::map::shown;
use crate::document::block::{Document, Pairs, paragraph};
use crate::document::report::Report;

impl Report for Why {
    const NAME: &'static str = "backfill why";
    const SCHEMA: Option<&'static str> = Some("backfill-why/1");

    fn document(&self) -> Document {
        if self.assignments.is_empty() {
            return Document::new([paragraph(format!("No run has given {} of {} a tenant.", self.id, self.table))]);
        }
        let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let one = |given: &Assignment| {
            let mut lines = vec![
                ("tenant", if given.tenant.is_empty() { "none".to_owned() } else { given.tenant.clone() }),
                ("run", format!("{} ({}, --on-conflict {})", given.run, given.job, given.on_conflict)),
                ("source", given.source.clone().unwrap_or_else(|| "unknown".to_owned())),
                (
                    "written",
                    format!("{} by {} on {}, version {}", time(given.at), given.login, given.host, given.tool_version),
                ),
            ];
            lines.extend(given.before.as_ref().map(|before| ("before", shown(before))));
            lines.extend(given.undone_at.map(|at| ("taken back", time(at))));
            Pairs::new(lines).into()
        };
        self.assignments.iter().map(one).collect()
    }
}
