//! Events as JSON lines, for programs that watch a backfill: `backfill-event/1`.

use std::time::{Duration, Instant};

use backfill_engine::BackfillEvent;
use serde::Serialize;

/// How often an event of a batch is written. Its counts are sums, so that nothing is lost between two.
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
    event: &'a BackfillEvent,
}

impl Events {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), last_batch: None }
    }

    /// The line of an event; `None` for a batch that follows another too soon.
    pub(super) fn line<'a>(&mut self, event: &'a BackfillEvent) -> Option<Line<'a>> {
        if matches!(event, BackfillEvent::Batch { .. }) {
            if self.last_batch.is_some_and(|last| last.elapsed() < BATCHES_EVERY) {
                return None;
            }
            self.last_batch = Some(Instant::now());
        }
        Some(line(event, self.started.elapsed()))
    }
}

fn line(event: &BackfillEvent, after: Duration) -> Line<'_> {
    let after_seconds = (after.as_secs_f64() * 1000.0).round() / 1000.0;
    Line { schema: "backfill-event/1", after_seconds, event }
}

#[cfg(test)]
mod tests {
    use backfill_engine::RowKind;
    use backfill_engine::throttle::{HiddenSignal, LoadSignal, SlowReason};
    use tenancy_config::TableName;

    use super::*;

    #[test]
    fn each_event_is_one_line_with_its_name_and_its_numbers() {
        let table = TableName::parse("bookings", "public").unwrap();
        let reason = SlowReason { signal: LoadSignal::ReplicationLag, says: "behind".into() };
        let unreadable =
            HiddenSignal { signal: LoadSignal::ActiveSessions, why: "hidden".into(), remedy: "GRANT".into() };
        let events = [
            BackfillEvent::Waiting { holder: "ann".into() },
            BackfillEvent::Started {
                about: RowKind::WithoutTenant,
                table,
                rows: 9,
                role: "r".into(),
                run: Some(1),
                resumed: false,
                helping: false,
            },
            BackfillEvent::LookedAhead { says: vec!["a trigger fires".into()] },
            BackfillEvent::Paused { by: None },
            BackfillEvent::Resumed,
            BackfillEvent::Leading,
            BackfillEvent::Batch { examined: 5, assigned: 4 },
            BackfillEvent::NextPass { pass: 2, assignable: 1 },
            BackfillEvent::Reconnecting { error: "gone".into(), wait: Duration::from_millis(200) },
            BackfillEvent::Unreadable { unreadable },
            BackfillEvent::Slowed { reason, waits: true, workers: 2 },
            BackfillEvent::FullSpeedAgain { after: Duration::from_millis(1500) },
            BackfillEvent::Surveying,
        ];
        let lines =
            events.iter().map(|event| serde_json::to_string(&line(event, Duration::from_millis(1250))).unwrap());
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn batches_right_behind_each_other_are_one_line() {
        let (mut events, batch) = (Events::start(), BackfillEvent::Batch { examined: 1, assigned: 1 });
        assert!(events.line(&batch).is_some() && events.line(&batch).is_none());
        assert!(events.line(&BackfillEvent::Surveying).is_some());
    }
}
