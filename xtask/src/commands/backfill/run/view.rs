//! The report of `backfill run` on several tables.

use std::collections::BTreeMap;

use backfill_engine::{NotRun, RowsWithoutTenant, TablesReport};

use crate::document::report::Report;
use crate::document::text::{line, table};
use crate::number_format::{count, counted};

impl Report for TablesReport {
    const NAME: &'static str = "backfill run";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
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
        let headings = [">assigned", ">conflicts", ">unresolved", ">assignable", ">remaining", ">run"];
        let headings: Vec<&str> = std::iter::once("table").chain(headings).collect();
        let mut out = table(&headings, rows);
        let failed: usize = self.tables.iter().map(|report| report.failed.len()).sum();
        if failed > 0 {
            out.push_str(&format!(
                "\n{} refused by the tables themselves; --format json has them.\n",
                count(failed as u64)
            ));
        }
        for failed in &self.failed {
            out.push_str(&line(format!("{} failed: {}", failed.table, failed.error)));
        }
        out.push_str(&left(self));
        out.push_str(&line(format!("tables by class: {}", self.coverage)));
        out
    }
}

/// What is left without a tenant, in the tables that were backfilled and in the others.
fn left(report: &TablesReport) -> String {
    let ran: u64 = report.tables.iter().map(|report| report.remaining).sum();
    let mut out = line("");
    if ran > 0 {
        let rows = counted(ran, "row is", "rows are");
        out.push_str(&line(format!(
            "{rows} left without a tenant in the tables above; --review review.csv writes those that people must decide."
        )));
    }
    let mut by_reason: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
    for table in &report.not_run {
        let what = match &table.why {
            NotRun::NoSource => "that has no source|that have no source",
            NotRun::Unhandled { .. } => "that cannot be handled|that cannot be handled",
        };
        match &table.rows {
            RowsWithoutTenant::Counted { rows: 0 } => {}
            RowsWithoutTenant::Counted { rows } => {
                by_reason.entry(what).or_default().push((format!("{} ({})", table.table, count(*rows)), *rows));
            }
            RowsWithoutTenant::Unknown { error } => {
                out.push_str(&line(format!(
                    "{}: its rows without a tenant could not be counted: {error}",
                    table.table
                )));
            }
        }
    }
    for (what, tables) in by_reason {
        let (one, many) = what.split_once('|').unwrap_or((what, what));
        let rows: u64 = tables.iter().map(|(_, rows)| rows).sum();
        let number = counted(tables.len() as u64, "table", "tables");
        let what = if tables.len() == 1 { one } else { many };
        let names: Vec<String> = tables.into_iter().map(|(name, _)| name).collect();
        let rows = counted(rows, "row", "rows");
        out.push_str(&line(format!("{rows} without a tenant in {number} {what}: {}.", names.join(", "))));
    }
    if report.is_complete() {
        out.push_str("0 rows without a tenant were counted in these tables. Next: cargo xtask audit\n");
    }
    out
}
