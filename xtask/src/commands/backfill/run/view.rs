//! The report of `backfill run` on several tables.

use std::collections::BTreeMap;

use backfill_engine::{DrawsOn, NotRun, RowsWithoutTenant, TablesReport};
use tenancy_config::{CommandRef, Hint};

use crate::commands::audit::lacks;
use crate::document::block::{Document, Table, lines, number, paragraph, text};
use crate::document::coverage::by_class;
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
        let table = (!self.tables.is_empty()).then(|| Table::new(columns, rows).into());
        let mut document = Document::new(table);
        let failed: usize = self.tables.iter().map(|report| report.failed.len()).sum();
        if failed > 0 {
            let failed = count(failed as u64);
            document.push(paragraph(format!("{failed} refused by the tables themselves; --format json has them.")));
        }
        let failed = self.failed.iter().map(|failed| Hint::from(format!("{} failed: {}", failed.table, failed.error)));
        let missing =
            self.missing.iter().map(|missing| Hint::from(format!("{} was skipped: {}", missing.table, lacks(missing))));
        let absent = self.tables.iter().flat_map(|report| {
            report.absent_sources.iter().map(|absent| Hint::from(format!("{}: {absent}", report.table)))
        });
        let drawn = self.draws_on.iter().map(|drawn| Hint::from(draws_on(drawn)));
        document.push(lines(
            failed.chain(missing).chain(absent).chain(drawn).chain(left(self)).chain([by_class(&self.coverage)]),
        ));
        document
    }
}

fn draws_on(DrawsOn { table, on, rows }: &DrawsOn) -> String {
    let rows = counted(*rows, "row", "rows");
    format!(
        "{table} draws on {on}, of which {rows} would have got a tenant first: without --dry-run it may get more than the dry run counted"
    )
}

/// What is left without a tenant, in the tables that were backfilled and in the others.
fn left(report: &TablesReport) -> Vec<Hint> {
    let ran: u64 = report.tables.iter().map(|report| report.remaining).sum();
    let mut said: Vec<Hint> = Vec::new();
    if ran > 0 {
        let rows = counted(ran, "row is", "rows are");
        let review = "--review review.csv writes those that people must decide";
        said.push(format!("{rows} left without a tenant in the tables above; {review}.").into());
    }
    let mut by_reason: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
    for table in &report.not_run {
        let what = match &table.why {
            NotRun::NoSource => "no source",
            NotRun::SourcesAbsent { .. } => "no source whose table is here",
            NotRun::Unhandled { .. } => "a tenant column that cannot be handled",
        };
        match &table.rows {
            RowsWithoutTenant::Counted { rows: 0 } => {}
            RowsWithoutTenant::Counted { rows } => {
                by_reason.entry(what).or_default().push((format!("{} ({})", table.table, count(*rows)), *rows));
            }
            rows => said.push(format!("{}: rows without a tenant: {rows}", table.table).into()),
        }
    }
    for (what, tables) in by_reason {
        let rows = counted(tables.iter().map(|(_, rows)| rows).sum(), "row", "rows");
        let number = counted(tables.len() as u64, "table that has", "tables that have");
        let names: Vec<String> = tables.into_iter().map(|(name, _)| name).collect();
        said.push(format!("{rows} without a tenant in {number} {what}: {}.", names.join(", ")).into());
    }
    if report.is_complete() {
        said.push(
            Hint::from("0 rows without a tenant were counted in these tables. Next: ").then_run(CommandRef::Audit),
        );
    }
    said
}
