//! Progress of a backfill: notes and a bar for people, events for programs.

use std::time::Duration;

use backfill_engine::{BackfillEvent, RowKind};
use tenancy_config::CommandRef;

use super::events::Events;
use crate::document::report::Format;
use crate::number_format::{count, counted, duration};
use crate::terminal::printer::Printer;
use crate::terminal::progress::Meter;

/// Shows the engine's events to people, or writes them for programs.
pub(super) struct BackfillProgress<'a> {
    printer: &'a Printer,
    events: Option<Events>,
    meter: Option<Meter<'a>>,
    rows: u64,
    run: Option<i64>,
}

impl<'a> BackfillProgress<'a> {
    pub(super) fn new(printer: &'a Printer, format: Format) -> Self {
        let events = (format == Format::Json && printer.writes_events()).then(Events::start);
        Self { printer, events, meter: None, rows: 0, run: None }
    }

    /// Takes one event.
    pub(super) fn event(&mut self, event: BackfillEvent) {
        if let Some(events) = &mut self.events {
            if let Some(line) = events.line(&event) {
                self.printer.event(&line);
            }
            return;
        }
        match event {
            BackfillEvent::Waiting { holder } => {
                self.printer.note(&crate::context::holder::waiting(&holder));
            }
            BackfillEvent::Started { about, table, rows, role, run, resumed, helping } => {
                self.run = run;
                let run = run.map_or_else(|| "dry run".to_owned(), |run| format!("run {run}"));
                self.printer.note(&format!(
                    "{run}: {} of {table} {}, writing as {role}",
                    counted(rows, "row", "rows"),
                    match about {
                        RowKind::WithoutTenant => "without a tenant",
                        RowKind::WithoutOrGone => "without a tenant that exists",
                        RowKind::Values => "with such a value",
                    }
                ));
                if helping {
                    self.printer.note("helping another process, which leads the run");
                } else if resumed {
                    self.printer.note("going on where an earlier run ended");
                }
                self.rows = rows;
                self.meter = Some(Meter::start(self.printer, table.name().as_str(), "rows", 0, Some(rows)));
            }
            BackfillEvent::LookedAhead { says } => {
                says.iter().for_each(|says| self.printer.note(&format!("before: {says}")))
            }
            BackfillEvent::Batch { examined, assigned } => {
                if let Some(meter) = &mut self.meter {
                    // A later pass reads some rows again.
                    meter.set(examined.min(self.rows), &format!("{} assigned", count(assigned)));
                }
            }
            BackfillEvent::NextPass { pass, assignable } => {
                let rows = counted(assignable, "row", "rows");
                self.printer.note(&format!("pass {pass}: {rows} moved or were locked, reading through again"));
            }
            BackfillEvent::Reconnecting { error, wait } => {
                self.printer.warning(&lost_connection(&error, wait));
            }
            BackfillEvent::Unreadable { unreadable } => {
                self.printer.warning(&format!(
                    "{unreadable}; going on with one worker, which rests as long as it works. {}",
                    unreadable.remedy
                ));
            }
            BackfillEvent::Slowed { reason, waits, workers } => {
                let what = if waits { "waiting".to_owned() } else { counted(u64::from(workers), "worker", "workers") };
                self.printer.note(&format!("{what}: {}", reason.says));
                if let Some(meter) = &mut self.meter {
                    meter.hold(Some((&reason.signal.to_string(), waits)));
                }
            }
            BackfillEvent::FullSpeedAgain { after } => {
                self.printer.note(&format!("at full speed again after {}", duration(after)));
                if let Some(meter) = &mut self.meter {
                    meter.hold(None);
                }
            }
            BackfillEvent::Paused { by } => {
                let by = by.map_or_else(String::new, |by| format!(" by {by}"));
                let run = self.run.unwrap_or_default();
                let resume = CommandRef::BackfillResume { run };
                self.printer.note(&format!("the run was paused{by}; {resume} lets it go on"));
                if let Some(meter) = &mut self.meter {
                    meter.hold(Some(("an operator paused the run", true)));
                }
            }
            BackfillEvent::Resumed => {
                self.printer.note("the run goes on");
                if let Some(meter) = &mut self.meter {
                    meter.hold(None);
                }
            }
            BackfillEvent::Leading => {
                self.printer.note("the process that led the run is gone; this one leads it from here");
            }
            // `backfill undo` and `backfill memberships` show them by themselves.
            BackfillEvent::Undoing { .. } | BackfillEvent::Making { .. } => {}
            BackfillEvent::Surveying => {
                if let Some(meter) = &mut self.meter {
                    meter.words("counting what is left");
                }
            }
        }
    }

    /// Refreshes the times while there is no event.
    pub(super) fn tick(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.show();
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&mut self) {
        if let Some(meter) = self.meter.take() {
            meter.finish();
        }
    }
}

/// What is said of a lost connection.
pub(super) fn lost_connection(error: &str, wait: Duration) -> String {
    format!("the connection was lost ({error}); trying again in {}", duration(wait))
}
