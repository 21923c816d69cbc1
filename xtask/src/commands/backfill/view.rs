//! The report of a backfill.

use std::time::Duration;

use backfill_engine::{BackfillReport, Cleanup, RowKind, RunOutcome, Vacuum, bytes};
use tenancy_config::{CommandRef, Hint};

use crate::document::block::{Block, Cell, Document, List, Table, lines, number, paragraph, text};
use crate::document::coverage::by_class;
use crate::document::report::Report;
use crate::number_format::{count, counted, duration};

/// How many entries of a list the table shows. The JSON has them all.
const SHOWN: usize = 5;

impl Report for BackfillReport {
    const NAME: &'static str = "backfill";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let mut document = Document::new([paragraph(headline(self)), counts(self)]);
        let lists = [failures(self), unique_breaks(self), ghosts(self), absent(self), throttled(self)];
        document.extend(lists.into_iter().filter_map(List::unless_empty));
        document.extend(self.cleanup.as_ref().map(|left| paragraph(cleanup(left))));
        document.extend(self.coverage.as_ref().map(|coverage| paragraph(by_class(coverage))));
        document.push(next(self));
        document
    }
}

/// The statistics of the planner, and the dead rows that are left for vacuum.
fn cleanup(left: &Cleanup) -> String {
    let statistics = match &left.not_analyzed {
        None => "The table was analyzed.".to_owned(),
        Some(why) => format!("The table was not analyzed: {why}."),
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

fn counts(report: &BackfillReport) -> Block {
    let row = |what: &str, rows: u64, meaning: &str| [what.into(), Cell::from(count(rows)), meaning.into()];
    let assigned = match (report.dry_run, report.resumed) {
        (true, _) => "would be",
        (false, true) => "with what other processes did",
        (false, false) => "",
    };
    let remaining = match (report.about, report.dry_run) {
        (RowKind::WithoutTenant, true) => "would still be without a tenant",
        (RowKind::WithoutTenant, false) => "without a tenant now",
        (RowKind::WithoutOrGone, true) => "would still be without a tenant that exists",
        (RowKind::WithoutOrGone, false) => "without a tenant that exists now",
        (RowKind::Values, true) => "would still have such a value",
        (RowKind::Values, false) => "have such a value now",
    };
    let mut rows = vec![row("assigned", report.assigned, assigned)];
    let by_source = report.assigned_by_source.iter().filter(|source| source.rows > 0);
    rows.extend(by_source.map(|source| {
        let [_, rows, meaning] = row("", source.rows, "");
        [Cell::nested(1, format!("by {}", source.source)), rows, meaning]
    }));
    rows.push(row("conflicts", report.conflicts, "sources name several tenants"));
    rows.push(row("unresolved", report.unresolved, "no source names a tenant that exists"));
    rows.push(row("assignable", report.assignable, "could be assigned, and were not yet"));
    if report.unique_breaks > 0 {
        rows.push(row("unique breaks", report.unique_breaks, "would break a unique key"));
    }
    rows.push(row("remaining", report.remaining, remaining));
    Table::new([text("rows"), number("number"), text("")], rows).into()
}

fn failures(report: &BackfillReport) -> List {
    let lines = report.failed.iter().map(|row| format!("{}: {}", row.key, row.error));
    listed(
        &format!("{} refused by the table itself:", counted(report.failed.len() as u64, "row was", "rows were")),
        lines,
    )
}

fn unique_breaks(report: &BackfillReport) -> List {
    let breaks = report.preflight.iter().flat_map(|preflight| &preflight.unique_breaks);
    let lines: Vec<String> = breaks.map(ToString::to_string).collect();
    listed("Left out, as the table would refuse them:", lines.into_iter())
}

fn throttled(report: &BackfillReport) -> List {
    let seconds = |seconds| duration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let held = report.throttle.throttled.iter().map(|held| {
        let times = [("waited", held.waited_seconds), ("slowed", held.slowed_seconds)];
        let times = times.into_iter().filter(|(_, time)| *time > 0.0);
        let times: Vec<String> = times.map(|(what, time)| format!("{what} {}", seconds(time))).collect();
        format!("{}: {}", held.signal, times.join(", "))
    });
    let unreadable = report.throttle.unreadable.iter().map(ToString::to_string);
    let lines: Vec<String> = held.chain(unreadable).collect();
    listed("Held back by:", lines.into_iter())
}

fn ghosts(report: &BackfillReport) -> List {
    let lines = report.ghost_tenants.iter().map(|ghost| {
        let tenant =
            if ghost.tenant.is_empty() { "the empty string".to_owned() } else { format!("`{}`", ghost.tenant) };
        format!("{tenant} in {} of {} ({})", counted(ghost.rows, "row", "rows"), ghost.table, ghost.source)
    });
    listed("Sources that name a tenant which does not exist; they counted as none:", lines)
}

fn absent(report: &BackfillReport) -> List {
    let lines = report.absent_sources.iter().map(ToString::to_string);
    listed("tenancy.toml names what is not here:", lines)
}

fn next(report: &BackfillReport) -> Block {
    let undecided = report.conflicts + report.unresolved;
    paragraph(match (report.outcome, &report.review) {
        _ if report.dry_run && report.assigned > 0 => Hint::from("Next: the same without --dry-run."),
        (RunOutcome::Cancelled, _) => cancelled(report.run),
        (RunOutcome::Stopped | RunOutcome::LimitReached, _) => "Run the same command again to go on from here.".into(),
        _ if report.rows_keep_coming => {
            let says = "The application keeps writing rows without a tenant. Give the column its default first: ";
            Hint::from(says).then_run(CommandRef::RlsRolloutPrepare)
        }
        (_, Some(file)) if undecided > 0 => {
            let file = file.display().to_string();
            let left =
                format!("Each row that is left stands with its candidates in {file}. Next: fill in `decision`, and");
            return lines([left.into(), Hint::run(CommandRef::BackfillApplyDryRun { file })]);
        }
        (_, None) if undecided > 0 && report.about == RowKind::Values => {
            "Rows whose tenant is gone in the meantime were left. Next: run it again.".into()
        }
        (_, None) if undecided > 0 => {
            "Next: --review review.csv writes each row that is left, with its candidates, for people to decide.".into()
        }
        _ if report.assignable > 0 => "Next: run it again for the rows that others held, or that are new.".into(),
        _ => Hint::from(match report.about {
            RowKind::WithoutTenant => "In this table 0 rows were counted without a tenant. Next: ",
            RowKind::WithoutOrGone => "In this table 0 rows were counted without a tenant that exists. Next: ",
            RowKind::Values => "In this table 0 rows were counted with such a value. Next: ",
        })
        .then_run(CommandRef::Audit),
    })
}

fn cancelled(run: Option<i64>) -> Hint {
    let undo = run.map_or_else(Hint::default, |run| {
        Hint::from("; ").then_quoted(CommandRef::BackfillUndo { run }).then(" takes it back")
    });
    Hint::from("What was assigned stays").then_hint(undo).then(". The same command begins a new run.")
}

/// The first lines of a list; of a list without lines, none.
fn listed(title: &str, lines: impl ExactSizeIterator<Item = String>) -> List {
    let more = lines.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("and {} more; --format json has them all", count(more as u64)));
    List::new(title, lines.take(SHOWN).chain(more))
}
