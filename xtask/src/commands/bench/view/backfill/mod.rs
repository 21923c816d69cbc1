//! The report of `bench backfill`.

use bench::{
    BackfillBenchReport, BesideLoad, CandidateReport, Latency, LoadReport, LoadStatement, Method, StatementReport,
};

use crate::commands::bench::view::figures::{
    COST_COLUMNS, COSTS, cost_cells, costs_of, goals, machine, profile, seconds,
};
use crate::document::block::{Block, Document, Table, lines, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

impl Report for BackfillBenchReport {
    const NAME: &'static str = "bench backfill";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let mut document = Document::new([speed(self), costs(self)]);
        if self.candidates.iter().any(|line| !line.figures.waits.is_empty()) {
            document.push(profile(self.candidates.iter().map(|line| (name(line), &line.figures))));
        }
        if !self.beside_load.is_empty() {
            document.push(beside_load(self));
        }
        if self.beside_load.iter().flat_map(|line| &line.stages).any(|stage| !stage.by_statement.is_empty()) {
            document.push(load_profile(self));
        }
        document.extend([goals(&self.goals), circumstances(self), paragraph(agreement(self))]);
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let header = ["candidate", "rows", "seconds", "rows_per_second", "times_row_by_row", "times_one_update"];
        let line = |line: &CandidateReport| {
            let figures = &line.figures;
            let mut cells = vec![
                name(line),
                figures.rows.to_string(),
                format!("{:.3}", figures.seconds),
                format!("{:.0}", figures.rows_per_second),
                format!("{:.2}", line.times_row_by_row),
                format!("{:.3}", line.times_one_update),
            ];
            cells.extend(cost_cells(figures));
            cells
        };
        let header = header.into_iter().chain(COST_COLUMNS).collect();
        Some((header, self.candidates.iter().map(line).collect()))
    }
}

fn speed(report: &BackfillBenchReport) -> Block {
    let numbers = ["rows", "time", "rows/s", "row by row", "one UPDATE"].map(number);
    let lines = report.candidates.iter().map(|line| {
        vec![
            name(line),
            count(line.figures.rows),
            seconds(line.figures.seconds),
            count(line.figures.rows_per_second as u64),
            format!("× {:.1}", line.times_row_by_row),
            format!("× {:.2}", line.times_one_update),
        ]
    });
    Table::new([text("way")].into_iter().chain(numbers), lines).into()
}

fn costs(report: &BackfillBenchReport) -> Block {
    let columns = [text("way")].into_iter().chain(COSTS.map(number));
    let lines = report.candidates.iter().map(|line| [name(line)].into_iter().chain(costs_of(&line.figures)));
    Table::new(columns, lines).into()
}

fn beside_load(report: &BackfillBenchReport) -> Block {
    let numbers = ["rows/s", "p50", "beside", "p99", "beside", "times", "longest"].map(number);
    let lines = report.beside_load.iter().map(|line| {
        let met =
            |at: usize, figure: fn(&LoadReport) -> f64| format!("{:.1} ms", line.stages.get(at).map_or(0.0, figure));
        let figures: [fn(&LoadReport) -> f64; 3] =
            [|met| met.took.p50_ms, |met| met.took.p99_ms, |met| met.took.longest_ms];
        vec![
            loaded_name(line),
            count(line.rows_per_second as u64),
            met(0, figures[0]),
            met(1, figures[0]),
            met(0, figures[1]),
            met(1, figures[1]),
            format!("× {:.1}", line.times_p99),
            met(1, figures[2]),
        ]
    });
    let load = format!(
        "The load: {} connections, each of which begins a transaction every {} ms.",
        report.connections, report.transaction_every_ms,
    );
    Table::new([text("beside a load")].into_iter().chain(numbers), lines).with_note(load).into()
}

/// The latencies of each statement of the load.
fn load_profile(report: &BackfillBenchReport) -> Block {
    let numbers = ["p50", "beside", "p99", "beside", "longest"].map(number);
    let lines = report.beside_load.iter().flat_map(|line| {
        let stage = |at: usize| line.stages.get(at).map_or(&[][..], |stage| &stage.by_statement);
        stage(1).iter().map(move |StatementReport { statement, took }| {
            let before = stage(0).iter().find(|before| before.statement == *statement);
            let before = before.map_or(Latency::default(), |before| before.took);
            let figures = [before.p50_ms, took.p50_ms, before.p99_ms, took.p99_ms, took.longest_ms];
            let figures = figures.into_iter().map(|figure| format!("{figure:.1} ms"));
            [loaded_name(line), statement_name(*statement).to_owned()].into_iter().chain(figures)
        })
    });
    Table::new(["beside a load", "statement"].map(text).into_iter().chain(numbers), lines).into()
}

fn statement_name(statement: LoadStatement) -> &'static str {
    match statement {
        LoadStatement::Begin => "BEGIN",
        LoadStatement::Scope => "sets the tenant",
        LoadStatement::ByKey => "reads a booking",
        LoadStatement::List => "lists bookings",
        LoadStatement::Insert => "inserts a booking",
        LoadStatement::Update => "updates a booking",
        LoadStatement::Commit => "COMMIT",
    }
}

fn name(report: &CandidateReport) -> String {
    way(report.candidate, report.workers)
}

fn loaded_name(line: &BesideLoad) -> String {
    let mode = match (line.candidate, line.full_speed) {
        (Method::Backfill, true) => ", full speed",
        (Method::Backfill, false) => ", default mode",
        _ => "",
    };
    format!("{}{mode}", way(line.candidate, line.workers))
}

fn way(candidate: Method, workers: Option<u32>) -> String {
    match (candidate, workers) {
        (Method::OneUpdate, _) => "one UPDATE".to_owned(),
        (Method::RowByRow, _) => "row by row".to_owned(),
        (Method::KeyOrder, _) => "batches in key order".to_owned(),
        (Method::Backfill, Some(workers)) => {
            format!("backfill-bookings, {}", counted(workers.into(), "worker", "workers"))
        }
        (Method::Backfill, None) => "backfill-bookings".to_owned(),
    }
}

/// What the figures depend on.
fn circumstances(report: &BackfillBenchReport) -> Block {
    let (bookings, tenants) = (count(report.bookings), count(report.tenants));
    let data = format!("{bookings} bookings of {tenants} tenants, {} without one; ", count(report.without_tenant));
    let outside = format!("Transactions were looked at from outside, at most {:.0} ms apart.", report.longest_gap_ms);
    lines(machine(data, report.build, report.cores, &report.server).into_iter().chain([outside]))
}

fn agreement(report: &BackfillBenchReport) -> String {
    if report.candidates_agree() {
        return "All of them gave the same rows the same tenants.".to_owned();
    }
    let wrong = [
        (report.same_result, "the candidates left different tenants"),
        (report.same_slice, "row by row gave its rows other tenants"),
        (report.same_count, "one of them counted other rows than one UPDATE wrote"),
    ];
    let wrong: Vec<&str> = wrong.into_iter().filter(|(same, _)| !same).map(|(_, what)| what).collect();
    format!("The figures compare nothing: {}.", wrong.join("; "))
}

#[cfg(test)]
mod tests;
