//! The report of `backfill apply`.

use backfill_engine::{ApplyReport, Refusal};
use tenancy_config::plain::plain;

use crate::document::report::Report;
use crate::document::text::{line, table};
use crate::number_format::count;

/// How many refused lines the table shows. The file of `--refused` has them all.
const SHOWN: usize = 5;

impl Report for ApplyReport {
    const NAME: &'static str = "backfill apply";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let mut out = format!("{}\n{}", line(headline(self)), counts(self));
        for paragraph in [refusals(self), next(self)].into_iter().flatten() {
            out.push_str(&format!("\n{paragraph}\n"));
        }
        out
    }
}

fn headline(report: &ApplyReport) -> String {
    let (Some(table), Some(role)) = (&report.table, &report.role) else {
        return "nothing is decided in this review".to_owned();
    };
    let how = match (report.stopped, report.dry_run, report.run) {
        (true, _, _) => "stopped".to_owned(),
        (_, true, _) => "dry run (nothing was kept)".to_owned(),
        (_, _, Some(run)) => format!("run {run}"),
        _ => "nothing was written".to_owned(),
    };
    format!("{table}: {how}, as {role}")
}

fn counts(report: &ApplyReport) -> String {
    let row = |what: &str, lines: u64, meaning: &str| vec![what.to_owned(), count(lines), meaning.to_owned()];
    let applied =
        if report.dry_run { "would get the tenant that was decided" } else { "got the tenant that was decided" };
    let mut rows = vec![row("applied", report.applied, applied)];
    if report.already_applied > 0 {
        rows.push(row("already applied", report.already_applied, "have it from this decision"));
    }
    rows.push(row("undecided", report.undecided, "their decision is empty"));
    rows.push(row("refused", report.refused, ""));
    table(&["lines", ">number", ""], rows)
}

fn refusals(report: &ApplyReport) -> Option<String> {
    let told = |refusal: &Refusal| {
        let id = refusal.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        plain(format!("  line {}{id}: {}", refusal.line, refusal.reason))
    };
    let mut lines = vec!["Refused:".to_owned()];
    lines.extend(report.refusals.iter().take(SHOWN).map(told));
    if report.refused > SHOWN as u64 {
        lines.push(format!("  and {} more", count(report.refused - SHOWN as u64)));
    }
    (report.refused > 0).then(|| lines.join("\n"))
}

fn next(report: &ApplyReport) -> Option<String> {
    match (&report.refused_file, report.refused) {
        _ if report.stopped => Some("The same command goes on from here.".to_owned()),
        (Some(file), 1..) => Some(plain(format!("Each of them stands with its reason in {}.", file.display()))),
        (None, 1..) => {
            Some("--refused refused.csv writes them with their reasons, to be mended and applied again.".to_owned())
        }
        _ if report.dry_run && report.applied > 0 => Some("Next: the same without --dry-run.".to_owned()),
        _ => None,
    }
}
