//! The report of `backfill run` on several tables.

use super::Reports;
use crate::document::report::Report;
use crate::document::text::table;
use crate::number_format::count;

impl Report for Reports {
    const NAME: &'static str = "backfill run";
    const SCHEMA: Option<&'static str> = Some("backfill-tables/1");

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
        let left: u64 = self.tables.iter().map(|report| report.remaining).sum();
        out.push_str(&match left {
            0 => "\nNo row of the tables above is without a tenant. Next: cargo xtask audit\n".to_owned(),
            left => format!(
                "\n{} rows are left without a tenant; --review review.csv writes those that people must decide.\n",
                count(left)
            ),
        });
        out
    }
}
