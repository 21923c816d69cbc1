//! Events as JSON lines, for programs that watch a backfill: `backfill-event/1`.

use std::time::{Duration, Instant};

use backfill_engine::Progress;
use serde::Serialize;

/// Batches are told at most this often; their counts are sums, so that none is missed.
const BATCHES_EVERY: Duration = Duration::from_secs(1);

/// The events of one job.
pub(super) struct Events {
    started: Instant,
    last_batch: Option<Instant>,
}

#[derive(Serialize)]
pub(super) struct Line<'a> {
    schema: &'static str,
    after_seconds: f64,
    #[serde(flatten)]
    event: &'a Progress,
}

impl Events {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), last_batch: None }
    }

    /// The event as it is told, or nothing for a batch right behind another.
    pub(super) fn line<'a>(&mut self, event: &'a Progress) -> Option<Line<'a>> {
        if matches!(event, Progress::Batch { .. }) {
            if self.last_batch.is_some_and(|last| last.elapsed() < BATCHES_EVERY) {
                return None;
            }
            self.last_batch = Some(Instant::now());
        }
        Some(line(event, self.started.elapsed()))
    }
}

fn line(event: &Progress, after: Duration) -> Line<'_> {
    let after_seconds = (after.as_secs_f64() * 1000.0).round() / 1000.0;
    Line { schema: "backfill-event/1", after_seconds, event }
}

#[cfg(test)]
mod tests {
    use backfill_engine::pressure::{Reason, Signal, Unreadable};
    use tenancy_config::TableName;

    use super::*;

    #[test]
    fn each_event_is_one_line_with_its_name_and_its_numbers() {
        let table = TableName::parse("bookings", "public").unwrap();
        let reason = Reason { signal: Signal::ReplicationLag, says: "behind".into() };
        let unreadable = Unreadable { signal: Signal::ActiveSessions, why: "hidden".into(), remedy: "GRANT".into() };
        let events = [
            Progress::Waiting { holder: "ann".into() },
            Progress::Started { table, rows: 9, role: "r".into(), run: Some(1), resumed: false, helping: false },
            Progress::LookedAhead { says: vec!["a trigger fires".into()] },
            Progress::Paused { by: None },
            Progress::Resumed,
            Progress::Leading,
            Progress::Batch { examined: 5, assigned: 4 },
            Progress::NextPass { pass: 2, assignable: 1 },
            Progress::Reconnecting { error: "gone".into(), wait: Duration::from_millis(200) },
            Progress::Unreadable { unreadable },
            Progress::Slowed { reason, waits: true, workers: 2 },
            Progress::FullSpeedAgain { after: Duration::from_millis(1500) },
            Progress::Surveying,
        ];
        let lines =
            events.iter().map(|event| serde_json::to_string(&line(event, Duration::from_millis(1250))).unwrap());
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn batches_right_behind_each_other_are_one_line() {
        let (mut events, batch) = (Events::start(), Progress::Batch { examined: 1, assigned: 1 });
        assert!(events.line(&batch).is_some() && events.line(&batch).is_none());
        assert!(events.line(&Progress::Surveying).is_some());
    }
}
