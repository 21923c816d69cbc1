//! The reports of invented figures.

use bench::{BenchGoal, Figures, ScalePoint, ScaleReport, ServerFacts, Wait};

use super::*;
use crate::document::terminal;
use crate::terminal::width::Width;

fn figures(rows: u64, seconds: f64) -> Figures {
    let wait = |event: &str, sessions| Wait { event: event.to_owned(), sessions };
    Figures {
        rows,
        seconds,
        rows_per_second: rows as f64 / seconds,
        longest_transaction_ms: seconds * 1e3,
        longest_locks_ms: 412.7,
        wal_bytes: 300 << 20,
        peak_memory_kib: Some(30 << 10),
        waits: vec![wait("CPU", 1.5), wait("IO:WALSync", 0.5), wait("LWLock:WALWrite", 0.001)],
        autovacuum: 0.25,
    }
}

fn line(candidate: Method, workers: Option<u32>, rows: u64, seconds: f64) -> CandidateReport {
    let figures = figures(rows, seconds);
    let speed = figures.rows_per_second;
    CandidateReport {
        candidate,
        workers,
        examined: rows + 10,
        figures,
        times_row_by_row: speed / 400.0,
        times_one_update: speed / 18_000.0,
    }
}

fn server() -> ServerFacts {
    ServerFacts {
        version: "15.18".into(),
        fsync: "on".into(),
        synchronous_commit: "on".into(),
        full_page_writes: "on".into(),
        wal_level: "minimal".into(),
        shared_buffers: "256MB".into(),
        max_wal_size: "4GB".into(),
    }
}

fn met(stage: &'static str, p99_ms: f64) -> LoadReport {
    let took = Latency { p50_ms: 0.25, p99_ms, longest_ms: 31.25 };
    let by_statement = vec![StatementReport { statement: LoadStatement::Commit, took }];
    LoadReport { stage, statements: 5_000, failed: Default::default(), took, by_statement }
}

fn goal(name: &'static str, wanted: f64, at_least: bool, reached: f64, unit: &'static str) -> BenchGoal {
    let met = if at_least { reached >= wanted } else { reached <= wanted };
    BenchGoal { name, wanted, at_least, reached, unit, met }
}

fn report() -> BackfillBenchReport {
    BackfillBenchReport {
        schema: "bench-backfill/1",
        bookings: 100_000,
        tenants: 1_000,
        without_tenant: 90_000,
        candidates: vec![
            line(Method::RowByRow, None, 4_000, 10.0),
            line(Method::KeyOrder, None, 90_000, 9.0),
            line(Method::OneUpdate, None, 90_000, 5.0),
            line(Method::Backfill, Some(1), 90_000, 6.0),
            line(Method::Backfill, Some(2), 90_000, 4.5),
        ],
        beside_load: vec![BesideLoad {
            candidate: Method::Backfill,
            workers: Some(2),
            full_speed: false,
            rows_per_second: 9_500.0,
            stages: vec![met("before", 2.5), met("during", 7.5)],
            times_p99: 3.0,
        }],
        connections: 8,
        transaction_every_ms: 40,
        goals: vec![
            goal("2 workers beside one UPDATE", 1.3, true, 1.111, "times"),
            goal("longest transaction with locks on rows", 1_000.0, false, 412.7, "ms"),
            goal("p99 of the load beside the default mode", 2.0, false, 3.0, "times"),
        ],
        same_result: true,
        same_slice: true,
        same_count: true,
        role: "tenant_maintenance".into(),
        longest_gap_ms: 21.4,
        server: server(),
        build: "debug",
        cores: 2,
    }
}

fn scale() -> ScaleReport {
    let point = |bookings, rows, seconds, times_per_row| ScalePoint {
        bookings,
        figures: Figures { waits: Vec::new(), ..figures(rows, seconds) },
        times_per_row,
        one_update: Figures { waits: Vec::new(), ..figures(rows, seconds * 1.5) },
        one_update_times_per_row: times_per_row,
        times_one_update: 1.5,
    };
    ScaleReport {
        schema: "bench-backfill-scale/1",
        tenants: 1_000,
        workers: 2,
        points: vec![point(100_000, 90_000, 4.5, 1.0), point(1_000_000, 900_000, 49.5, 1.1)],
        goals: vec![goal("time for a row of the largest beside the smallest", 1.25, false, 1.1, "times")],
        longest_gap_ms: 21.4,
        server: server(),
        build: "release",
        cores: 2,
    }
}

/// The report as a file has it.
fn table(report: &impl Report) -> String {
    terminal::render(&report.document(), Width::Unlimited)
}

fn csv(report: &impl Report) -> String {
    let (header, lines) = report.csv().unwrap();
    let lines: Vec<String> = lines.iter().map(|cells| cells.join(",")).collect();
    format!("{}\n{}\n", header.join(","), lines.join("\n"))
}

#[test]
fn a_report_of_candidates_as_table_json_and_csv() {
    insta::assert_snapshot!("candidates_table", table(&report()));
    insta::assert_json_snapshot!("candidates_json", report());
    insta::assert_snapshot!("candidates_csv", csv(&report()));
}

#[test]
fn a_report_without_profile_and_load_leaves_their_tables_out() {
    let mut report = report();
    report.beside_load.clear();
    for line in &mut report.candidates {
        line.figures.waits.clear();
    }
    let table = table(&report);
    assert!(!table.contains("which waited for") && !table.contains("beside a load"), "{table}");
}

#[test]
fn candidates_that_did_other_work_are_not_compared() {
    let report = BackfillBenchReport { same_slice: false, same_count: false, ..report() };
    let said = "The figures compare nothing: row by row gave its rows other tenants; one of them counted other rows than one UPDATE wrote.\n";
    assert!(table(&report).ends_with(said), "{}", table(&report));
}

#[test]
fn a_report_of_sizes_as_table_json_and_csv() {
    insta::assert_snapshot!("sizes_table", table(&scale()));
    insta::assert_json_snapshot!("sizes_json", scale());
    insta::assert_snapshot!("sizes_csv", csv(&scale()));
}
