//! The report of `backfill run` on several tables.

use std::collections::BTreeMap;

use backfill_engine::{NotRun, RowsWithoutTenant, TablesReport};
use tenancy_config::{CommandRef, Hint};

use crate::document::block::{Document, Table, lines, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

impl Report for TablesReport {
    const NAME: &'static str = "backfill run";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let rows = self.tables.iter().map(|report| {
            vec![
                report.table.to_string(),
                count(report.assigned),
                count(report.conflicts),
                count(report.unresolved),
                count(report.assignable),
                count(report.remaining),
                report.run.map_or_else(|| "-".to_owned(), |run| run.to_string()),
            ]
        });
        let numbers = ["assigned", "conflicts", "unresolved", "assignable", "remaining", "run"];
        let columns = std::iter::once(text("table")).chain(numbers.map(number));
        let mut document = Document::new([Table::new(columns, rows).into()]);
        let failed: usize = self.tables.iter().map(|report| report.failed.len()).sum();
        if failed > 0 {
            let failed = count(failed as u64);
            document.push(paragraph(format!("{failed} refused by the tables themselves; --format json has them.")));
        }
        let failures = self.failed.iter().map(|failed| format!("{} failed: {}", failed.table, failed.error));
        let coverage = format!("tables by class: {}", self.coverage);
        document.push(lines(failures.map(Hint::from).chain(left(self)).chain([coverage.into()])));
        document
    }
}

/// What is left without a tenant, in the tables that were backfilled and in the others.
fn left(report: &TablesReport) -> Vec<Hint> {
    let mut said: Vec<Hint> = Vec::new();
    let ran: u64 = report.tables.iter().map(|report| report.remaining).sum();
    if ran > 0 {
        let rows = counted(ran, "row is", "rows are");
        let review = "--review review.csv writes those that people must decide";
        said.push(format!("{rows} left without a tenant in the tables above; {review}.").into());
    }
    let mut by_reason: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
    for table in &report.not_run {
        match &table.rows {
            RowsWithoutTenant::Counted { rows: 0 } => {}
            RowsWithoutTenant::Counted { rows } => {
                let named = (format!("{} ({})", table.table, count(*rows)), *rows);
                by_reason.entry(reason(&table.why)).or_default().push(named);
            }
            RowsWithoutTenant::Unknown { error } => {
                said.push(format!("{}: its rows without a tenant could not be counted: {error}", table.table).into());
            }
        }
    }
    for (reason, tables) in by_reason {
        let rows: u64 = tables.iter().map(|(_, rows)| rows).sum();
        let number = counted(tables.len() as u64, "table", "tables");
        let names: Vec<String> = tables.into_iter().map(|(name, _)| name).collect();
        let rows = counted(rows, "row", "rows");
        said.push(format!("{rows} without a tenant in {number} {reason}: {}.", names.join(", ")).into());
    }
    if report.is_complete() {
        let none = "No row without a tenant was found in the tables that were counted. Next: ";
        said.push(Hint::from(none).then_run(CommandRef::Audit));
    }
    said
}

fn reason(why: &NotRun) -> &'static str {
    match why {
        NotRun::NoSource => "without a source",
        NotRun::Unhandled { .. } => "that cannot be handled",
    }
}
