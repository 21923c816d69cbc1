//! How every backfill is asked for, and how it shows its progress and its closing report.

mod events;
mod options;
mod session;

use std::time::Duration;

use backfill_engine::{BackfillReport, Outcome, Progress};
use tenant_rls::Exit;

use crate::printer::Printer;
use crate::progress::Meter;
use crate::report::{Format, Report};
use crate::text::{count, counted, duration, table};

use events::Events;
pub(crate) use options::BackfillOptions;
pub(crate) use session::{Session, watch};

/// How many of a list the table shows; the JSON has them all.
const SHOWN: usize = 5;

/// Draws the engine's events, or writes them for programs.
struct Bar<'a> {
    printer: &'a Printer,
    events: Option<Events>,
    meter: Option<Meter<'a>>,
    rows: u64,
    run: Option<i64>,
}

impl<'a> Bar<'a> {
    fn new(printer: &'a Printer, format: Format) -> Self {
        let events = (format == Format::Json && printer.writes_events()).then(Events::start);
        Self { printer, events, meter: None, rows: 0, run: None }
    }

    /// Takes one event.
    fn event(&mut self, event: Progress) {
        if let Some(events) = &mut self.events {
            if let Some(line) = events.line(&event) {
                self.printer.line(&line);
            }
            return;
        }
        match event {
            Progress::Waiting { holder } => {
                self.printer
                    .note(&format!("{holder} holds the lease on this table; waiting to see whether it is alive"));
            }
            Progress::Started { table, rows, role, run, resumed, helping } => {
                self.run = run;
                let run = run.map_or_else(|| "dry run".to_owned(), |run| format!("run {run}"));
                self.printer.note(&format!(
                    "{run}: {} of {table} without a tenant, writing as {role}",
                    counted(rows, "row", "rows")
                ));
                if helping {
                    self.printer.note("helping another process, which leads the run");
                } else if resumed {
                    self.printer.note("going on where an earlier run ended");
                }
                self.rows = rows;
                self.meter = Some(Meter::start(self.printer, table.name().as_str(), "rows", 0, Some(rows)));
            }
            Progress::LookedAhead { says } => {
                says.iter().for_each(|says| self.printer.note(&format!("before: {says}")))
            }
            Progress::Batch { examined, assigned } => {
                if let Some(meter) = &mut self.meter {
                    // A later pass looks at some rows again.
                    meter.set(examined.min(self.rows), &format!("{} assigned", count(assigned)));
                }
            }
            Progress::NextPass { pass, assignable } => {
                let rows = counted(assignable, "row", "rows");
                self.printer.note(&format!("pass {pass}: {rows} moved or were locked, reading through again"));
            }
            Progress::Reconnecting { error, wait } => {
                self.printer.warning(&format!("the connection was lost ({error}); trying again in {}", duration(wait)));
            }
            Progress::Unreadable { unreadable } => {
                self.printer.warning(&format!(
                    "{unreadable}; going on with one worker, which rests as long as it works. {}",
                    unreadable.remedy
                ));
            }
            Progress::Slowed { reason, waits, workers } => {
                let what = if waits { "waiting".to_owned() } else { counted(u64::from(workers), "worker", "workers") };
                self.printer.note(&format!("{what}: {}", reason.says));
                if let Some(meter) = &mut self.meter {
                    meter.hold(Some((&reason.signal.to_string(), waits)));
                }
            }
            Progress::FullSpeedAgain { after } => {
                self.printer.note(&format!("at full speed again after {}", duration(after)));
                if let Some(meter) = &mut self.meter {
                    meter.hold(None);
                }
            }
            Progress::Paused { by } => {
                let by = by.map_or_else(String::new, |by| format!(" by {by}"));
                let run = self.run.unwrap_or_default();
                self.printer.note(&format!("the run was paused{by}; cargo xtask backfill resume {run} lets it go on"));
                if let Some(meter) = &mut self.meter {
                    meter.hold(Some(("an operator paused the run", true)));
                }
            }
            Progress::Resumed => {
                self.printer.note("the run goes on");
                if let Some(meter) = &mut self.meter {
                    meter.hold(None);
                }
            }
            Progress::Leading => {
                self.printer.note("the process that led the run is gone; this one leads it from here");
            }
            Progress::Surveying => {
                if let Some(meter) = &mut self.meter {
                    meter.words("counting what is left");
                }
            }
        }
    }

    /// Shows the time that passes while nothing happens.
    fn tick(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.show();
        }
    }

    /// Takes the bar away.
    fn finish(&mut self) {
        if let Some(meter) = self.meter.take() {
            meter.finish();
        }
    }
}

/// How a command ends that gave this report.
pub(crate) fn exit(report: &BackfillReport) -> Option<Exit> {
    match report.outcome {
        Outcome::Stopped | Outcome::Cancelled => Some(Exit::Stopped),
        _ if report.is_complete() => None,
        _ => Some(Exit::NotYet),
    }
}

impl Report for BackfillReport {
    const NAME: &'static str = "backfill";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let mut out = format!("{}\n\n{}", headline(self), counts(self));
        for paragraph in [
            failures(self),
            unique_breaks(self),
            ghosts(self),
            missing_sources(self),
            held_back(self),
            self.aftermath.as_ref().map(ToString::to_string),
            next(self),
        ]
        .into_iter()
        .flatten()
        {
            out.push_str(&format!("\n{paragraph}\n"));
        }
        out
    }
}

fn headline(report: &BackfillReport) -> String {
    let how = match report.outcome {
        Outcome::NothingToDo => return format!("{}: nothing to do", report.table),
        Outcome::Done => "done",
        Outcome::Stopped => "stopped",
        Outcome::Cancelled => "cancelled",
        Outcome::LimitReached => "the limit is reached",
    };
    let dry = if report.dry_run { " (dry run: nothing was kept)" } else { "" };
    let time = duration(Duration::try_from_secs_f64(report.seconds).unwrap_or_default());
    let rate = count(report.rows_per_second as u64);
    let batches = counted(report.batches, "batch", "batches");
    let longest = duration(Duration::from_millis(report.longest_batch_ms));
    format!(
        "{}: {how}{dry} in {time}, {rate} rows/s; {batches} as {}, the longest {longest}",
        report.table, report.role
    )
}

fn counts(report: &BackfillReport) -> String {
    let row = |what: &str, rows: u64, meaning: &str| vec![what.to_owned(), count(rows), meaning.to_owned()];
    let assigned = match (report.dry_run, report.resumed) {
        (true, _) => "would be",
        (false, true) => "with what other processes did",
        (false, false) => "",
    };
    let remaining = if report.dry_run { "would still be without a tenant" } else { "without a tenant now" };
    let mut rows = vec![row("assigned", report.assigned, assigned)];
    let by_source = report.assigned_by_source.iter().filter(|source| source.rows > 0);
    rows.extend(by_source.map(|source| row(&format!("  by {}", source.source), source.rows, "")));
    rows.push(row("conflicts", report.conflicts, "sources name several tenants"));
    rows.push(row("unresolved", report.unresolved, "no source names a tenant that exists"));
    rows.push(row("assignable", report.assignable, "could be assigned, and were not yet"));
    if report.unique_breaks > 0 {
        rows.push(row("unique breaks", report.unique_breaks, "would break a unique key"));
    }
    rows.push(row("remaining", report.remaining, remaining));
    table(&["rows", ">number", ""], rows)
}

fn failures(report: &BackfillReport) -> Option<String> {
    let lines = report.failed.iter().map(|row| format!("  {}: {}", row.key, row.error));
    listed(
        &format!("{} refused by the table itself:", counted(report.failed.len() as u64, "row was", "rows were")),
        lines,
    )
}

fn unique_breaks(report: &BackfillReport) -> Option<String> {
    let breaks = report.preflight.iter().flat_map(|preflight| &preflight.unique_breaks);
    let lines: Vec<String> = breaks.map(|breaks| format!("  {breaks}")).collect();
    listed("Left out, as the table would refuse them:", lines.into_iter())
}

fn held_back(report: &BackfillReport) -> Option<String> {
    let seconds = |seconds| duration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let held = report.pressure.held_back.iter().map(|held| {
        let parts = [("waited", held.waited_seconds), ("slowed", held.slowed_seconds)];
        let parts = parts.into_iter().filter(|(_, time)| *time > 0.0);
        let parts: Vec<String> = parts.map(|(what, time)| format!("{what} {}", seconds(time))).collect();
        format!("  {}: {}", held.signal, parts.join(", "))
    });
    let unreadable = report.pressure.unreadable.iter().map(|one| format!("  {one}"));
    let lines: Vec<String> = held.chain(unreadable).collect();
    listed("Held back by:", lines.into_iter())
}

fn ghosts(report: &BackfillReport) -> Option<String> {
    let lines = report.ghost_tenants.iter().map(|ghost| {
        let tenant =
            if ghost.tenant.is_empty() { "the empty string".to_owned() } else { format!("`{}`", ghost.tenant) };
        format!("  {tenant} in {} of {} ({})", counted(ghost.rows, "row", "rows"), ghost.table, ghost.source)
    });
    listed("Sources that name a tenant which does not exist; they counted as none:", lines)
}

fn missing_sources(report: &BackfillReport) -> Option<String> {
    let names = report.sources_missing.join(", ");
    (!names.is_empty()).then(|| format!("Sources of tenancy.toml that this database does not have: {names}"))
}

fn next(report: &BackfillReport) -> Option<String> {
    let undecided = report.conflicts + report.unresolved;
    let text = match (report.outcome, &report.review) {
        _ if report.dry_run && report.assigned > 0 => "Next: the same without --dry-run.".to_owned(),
        (Outcome::Cancelled, _) => {
            "What was assigned stays; `cargo xtask backfill undo` takes it back. The same command begins a new run."
                .to_owned()
        }
        (Outcome::Stopped | Outcome::LimitReached, _) => "Run the same command again to go on from here.".to_owned(),
        _ if report.rows_keep_coming => {
            "The application keeps writing rows without a tenant. Give the column its default first: cargo xtask rls rollout --phase prepare"
                .to_owned()
        }
        (_, Some(file)) if undecided > 0 => {
            let file = file.display();
            format!(
                "Each row that is left stands with its candidates in {file}. Next: fill in `decision`, and\n\
                 cargo xtask backfill apply {file} --dry-run"
            )
        }
        (_, None) if undecided > 0 => {
            "Next: --review review.csv writes each row that is left, with its candidates, for people to decide."
                .to_owned()
        }
        _ if report.assignable > 0 => "Next: run it again for the rows that others held, or that are new.".to_owned(),
        _ => "Every row has its tenant. Next: cargo xtask audit".to_owned(),
    };
    Some(text)
}

/// A heading with the first lines of a list, or nothing for an empty one.
fn listed(heading: &str, lines: impl ExactSizeIterator<Item = String>) -> Option<String> {
    let total = lines.len();
    let mut out = vec![heading.to_owned()];
    out.extend(lines.take(SHOWN));
    if total > SHOWN {
        out.push(format!("  and {} more; --format json has them all", count((total - SHOWN) as u64)));
    }
    (total > 0).then(|| out.join("\n"))
}
