//! The report of `bench backfill --scale`.

use bench::{ScalePoint, ScaleReport};

use super::figures::{COST_COLUMNS, COSTS, cost_cells, costs_of, goals, machine, profile, seconds};
use crate::document::block::{Document, Table, lines, number};
use crate::document::report::Report;
use crate::number_format::{count, counted};

impl Report for ScaleReport {
    const NAME: &'static str = "bench backfill --scale";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let columns = ["bookings", "rows", "time", "rows/s", "time for a row", "one UPDATE's", "beside one UPDATE"];
        let columns = columns.into_iter().chain(COSTS).map(number);
        let mut document = Document::new([Table::new(columns, self.points.iter().map(line)).into()]);
        if self.points.iter().any(|point| !point.figures.waits.is_empty()) {
            let runs = self.points.iter().flat_map(|point| {
                let bookings = counted(point.bookings, "booking", "bookings");
                [(format!("{bookings}, one UPDATE"), &point.one_update), (bookings, &point.figures)]
            });
            document.push(profile(runs));
        }
        let beside = "Times for a row are beside those of the smallest size, of the backfill and of one UPDATE on the same data.";
        let workers = counted(self.workers.into(), "worker", "workers");
        let data = format!("{} tenants, {workers}; ", count(self.tenants));
        let outside = format!("Transactions were looked at from outside, at most {:.0} ms apart.", self.longest_gap_ms);
        let machine = machine(data, self.build, self.cores, &self.server);
        let circumstances = [beside.to_owned()].into_iter().chain(machine).chain([outside]);
        document.extend([goals(&self.goals), lines(circumstances)]);
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let own = ["bookings", "rows", "seconds", "rows_per_second", "times_per_row"];
        let beside = ["one_update_seconds", "one_update_times_per_row", "times_one_update"];
        let header = own.into_iter().chain(COST_COLUMNS).chain(beside);
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
            cells.extend([
                format!("{:.3}", point.one_update.seconds),
                format!("{:.3}", point.one_update_times_per_row),
                format!("{:.3}", point.times_one_update),
            ]);
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
        format!("× {:.2}", point.one_update_times_per_row),
        format!("× {:.2}", point.times_one_update),
    ];
    cells.extend(costs_of(figures));
    cells
}
