//! The report of `backfill apply`.

use backfill_engine::{ApplyReport, Refusal};
use tenancy_config::Hint;

use crate::document::block::{Block, Document, List, Table, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::count;

/// How many refused lines the table shows. The file of `--refused` has them all.
const SHOWN: usize = 5;

impl Report for ApplyReport {
    const NAME: &'static str = "backfill apply";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let mut document = Document::new([paragraph(headline(self)), counts(self)]);
        document.extend(refusals(self).unless_empty());
        document.extend(next(self).map(paragraph));
        document
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

fn counts(report: &ApplyReport) -> Block {
    let row = |what: &str, lines: u64, meaning: &str| vec![what.to_owned(), count(lines), meaning.to_owned()];
    let applied =
        if report.dry_run { "would get the tenant that was decided" } else { "got the tenant that was decided" };
    let mut rows = vec![row("applied", report.applied, applied)];
    if report.already_applied > 0 {
        rows.push(row("already applied", report.already_applied, "have it from this decision"));
    }
    rows.push(row("undecided", report.undecided, "their decision is empty"));
    rows.push(row("refused", report.refused, ""));
    Table::new([text("lines"), number("number"), text("")], rows).into()
}

fn refusals(report: &ApplyReport) -> List {
    let told = |refusal: &Refusal| {
        let id = refusal.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        format!("line {}{id}: {}", refusal.line, refusal.cause)
    };
    let more = report.refused.saturating_sub(SHOWN as u64);
    let more = (more > 0).then(|| format!("and {} more", count(more)));
    List::new("Refused:", report.refusals.iter().take(SHOWN).map(told).chain(more))
}

fn next(report: &ApplyReport) -> Option<Hint> {
    match (&report.refused_file, report.refused) {
        _ if report.stopped => Some("The same command goes on from here.".into()),
        (Some(file), 1..) => Some(format!("Each of them stands with its reason in {}.", file.display()).into()),
        (None, 1..) => {
            Some("--refused refused.csv writes them with their reasons, to be mended and applied again.".into())
        }
        _ if report.dry_run && report.applied > 0 => Some("Next: the same without --dry-run.".into()),
        _ => None,
    }
}
