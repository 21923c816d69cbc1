//! The report of `backfill run` on several tables.

use tenancy_config::{CommandRef, Hint};

use super::Reports;
use crate::document::block::{Document, Table, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::count;

impl Report for Reports {
    const NAME: &'static str = "backfill run";
    const SCHEMA: Option<&'static str> = Some("backfill-tables/1");

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
        let left: u64 = self.tables.iter().map(|report| report.remaining).sum();
        document.push(paragraph(match left {
            0 => Hint::from("No row of the tables above is without a tenant. Next: ").then_run(CommandRef::Audit),
            left => format!(
                "{} rows are left without a tenant; --review review.csv writes those that people must decide.",
                count(left)
            )
            .into(),
        }));
        document
    }
}
