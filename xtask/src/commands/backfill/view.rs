//! The report of a backfill.

use std::time::Duration;

use backfill_engine::{BackfillReport, Cleanup, RunOutcome, Vacuum, bytes};
use tenancy_config::plain::plain;

use crate::document::report::Report;
use crate::document::text::{line, table};
use crate::number_format::{count, counted, duration};

/// How many entries of a list the table shows. The JSON has them all.
const SHOWN: usize = 5;

impl Report for BackfillReport {
    const NAME: &'static str = "backfill";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let mut out = format!("{}\n{}", line(headline(self)), counts(self));
        for paragraph in [
            failures(self),
            unique_breaks(self),
            ghosts(self),
            throttled(self),
            self.aftermath.as_ref().map(cleanup),
            self.coverage.as_ref().map(|coverage| plain(format!("tables by class: {coverage}"))),
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

/// The statistics of the planner, and the dead rows that are left for vacuum.
fn cleanup(left: &Cleanup) -> String {
    let statistics = match &left.not_analyzed {
        None => "The table was analyzed.".to_owned(),
        Some(why) => plain(format!("The table was not analyzed: {why}.")),
    };
    if left.dead_rows == 0 {
        return format!("{statistics} No dead rows are left in it.");
    }
    let dead = counted(left.dead_rows, "dead row", "dead rows");
    let vacuum = match left.vacuum {
        Vacuum::Comes => "autovacuum frees that for new rows by itself.",
        Vacuum::TooFew => "too few for autovacuum to come; VACUUM frees that for new rows.",
        Vacuum::Off => "autovacuum is off for it: VACUUM frees that for new rows.",
    };
    format!("{statistics} It has {dead}, about {}; {vacuum}", bytes(left.dead_bytes))
}

fn headline(report: &BackfillReport) -> String {
    let how = match report.outcome {
        RunOutcome::NothingToDo => return format!("{}: nothing to do", report.table),
        RunOutcome::Done => "done",
        RunOutcome::Stopped => "stopped",
        RunOutcome::Cancelled => "cancelled",
        RunOutcome::LimitReached => "the limit is reached",
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

fn throttled(report: &BackfillReport) -> Option<String> {
    let seconds = |seconds| duration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let held = report.pressure.held_back.iter().map(|held| {
        let times = [("waited", held.waited_seconds), ("slowed", held.slowed_seconds)];
        let times = times.into_iter().filter(|(_, time)| *time > 0.0);
        let times: Vec<String> = times.map(|(what, time)| format!("{what} {}", seconds(time))).collect();
        format!("  {}: {}", held.signal, times.join(", "))
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

fn next(report: &BackfillReport) -> Option<String> {
    let undecided = report.conflicts + report.unresolved;
    let text = match (report.outcome, &report.review) {
        _ if report.dry_run && report.assigned > 0 => "Next: the same without --dry-run.".to_owned(),
        (RunOutcome::Cancelled, _) => {
            "What was assigned stays; `cargo xtask backfill undo` takes it back. The same command begins a new run."
                .to_owned()
        }
        (RunOutcome::Stopped | RunOutcome::LimitReached, _) => "Run the same command again to go on from here.".to_owned(),
        _ if report.rows_keep_coming => {
            "The application keeps writing rows without a tenant. Give the column its default first: cargo xtask rls rollout --phase prepare"
                .to_owned()
        }
        (_, Some(file)) if undecided > 0 => {
            let file = plain(file.display());
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
        _ => "In this table 0 rows were counted without a tenant. Next: cargo xtask audit".to_owned(),
    };
    Some(text)
}

/// A heading with the first lines of a list; `None` if the list is empty.
fn listed(heading: &str, lines: impl ExactSizeIterator<Item = String>) -> Option<String> {
    let total = lines.len();
    let mut out = vec![heading.to_owned()];
    out.extend(lines.take(SHOWN).map(plain));
    if total > SHOWN {
        out.push(format!("  and {} more; --format json has them all", count((total - SHOWN) as u64)));
    }
    (total > 0).then(|| out.join("\n"))
}
