//! How the report of `bench backfill --scale` looks.

use bench::{ScalePoint, ScaleReport};

use super::backfill::{COST_COLUMNS, COSTS, cost_cells, costs_of, profile, seconds};
use super::{goals, machine};
use crate::report::Report;
use crate::text::{count, counted, table};

impl Report for ScaleReport {
    const NAME: &'static str = "bench backfill --scale";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let headings = [">bookings", ">rows", ">time", ">rows/s", ">time for a row"];
        let headings: Vec<&str> = headings.into_iter().chain(COSTS).collect();
        let mut parts = vec![table(&headings, self.points.iter().map(line))];
        if self.points.iter().any(|point| !point.figures.waits.is_empty()) {
            let runs = self.points.iter().map(|point| (counted(point.bookings, "booking", "bookings"), &point.figures));
            parts.push(profile(runs));
        }
        let circumstances = format!(
            "{} tenants, {}; {}\nTransactions were looked at from outside, at most {:.0} ms apart.\n",
            count(self.tenants),
            counted(self.workers.into(), "worker", "workers"),
            machine(self.build, self.cores, &self.server),
            self.longest_gap_ms,
        );
        parts.extend([goals(&self.goals), circumstances]);
        parts.join("\n")
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let header =
            ["bookings", "rows", "seconds", "rows_per_second", "times_per_row"].into_iter().chain(COST_COLUMNS);
        let line = |point: &ScalePoint| {
            let figures = &point.figures;
            let mut cells = vec![
                point.bookings.to_string(),
                figures.rows.to_string(),
                format!("{:.3}", figures.seconds),
                format!("{:.0}", figures.rows_per_second),
                format!("{:.3}", point.times_per_row),
            ];
            cells.extend(cost_cells(figures));
            cells
        };
        Some((header.collect(), self.points.iter().map(line).collect()))
    }
}

fn line(point: &ScalePoint) -> Vec<String> {
    let figures = &point.figures;
    let mut cells = vec![
        count(point.bookings),
        count(figures.rows),
        seconds(figures.seconds),
        count(figures.rows_per_second as u64),
        format!("× {:.2}", point.times_per_row),
    ];
    cells.extend(costs_of(figures));
    cells
}
