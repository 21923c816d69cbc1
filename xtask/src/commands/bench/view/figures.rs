//! Figures that the reports of several benchmarks show: costs, waits, goals and the machine.

use std::time::Duration;

use bench::{BenchGoal, Figures, ServerFacts};

use crate::document::block::{Block, Table, number, text};
use crate::number_format::{count, duration};

/// How many wait events are named, and the share that each must have. The others do not matter.
const EVENTS: usize = 4;
const SHARE: f64 = 0.01;

/// The columns of [`cost_cells`].
pub(super) const COST_COLUMNS: [&str; 4] =
    ["longest_transaction_ms", "longest_locks_ms", "wal_bytes", "peak_memory_kib"];

/// The costs of a run, for programs.
pub(super) fn cost_cells(figures: &Figures) -> [String; 4] {
    [
        format!("{:.0}", figures.longest_transaction_ms),
        format!("{:.0}", figures.longest_locks_ms),
        figures.wal_bytes.to_string(),
        figures.peak_memory_kib.map(|kib| kib.to_string()).unwrap_or_default(),
    ]
}

/// The headings of [`costs_of`].
pub(super) const COSTS: [&str; 4] = ["longest transaction", "with locks", "log", "memory"];

/// The costs of a run, for people.
pub(super) fn costs_of(figures: &Figures) -> [String; 4] {
    let mib = |bytes: u64| format!("{} MiB", count(bytes >> 20));
    [
        milliseconds(figures.longest_transaction_ms),
        milliseconds(figures.longest_locks_ms),
        mib(figures.wal_bytes),
        figures.peak_memory_kib.map_or("-".to_owned(), |kib| mib(kib << 10)),
    ]
}

fn milliseconds(time: f64) -> String {
    format!("{} ms", count(time as u64))
}

/// A time in seconds.
pub(super) fn seconds(time: f64) -> String {
    duration(Duration::try_from_secs_f64(time).unwrap_or_default())
}

/// What the sessions of each run waited for in their transactions.
pub(super) fn profile<'a>(runs: impl Iterator<Item = (String, &'a Figures)>) -> Block {
    let lines = runs.map(|(name, figures)| {
        let all: f64 = figures.waits.iter().map(|wait| wait.sessions).sum();
        let share = |sessions: f64| format!("{:.0} %", sessions / all.max(f64::MIN_POSITIVE) * 100.0);
        let named = figures.waits.iter().filter(|wait| wait.sessions >= SHARE * all).take(EVENTS);
        let events = named.map(|wait| format!("{} {}", wait.event, share(wait.sessions)));
        let autovacuum = format!("{:.0} %", figures.autovacuum * 100.0);
        vec![name, format!("{all:.2}"), autovacuum, events.collect::<Vec<_>>().join(", ")]
    });
    let columns = [text("way"), number("in transactions"), number("autovacuum"), text("which waited for")];
    Table::new(columns, lines).into()
}

/// The data, the program, the machine and the server, a line each. Every figure depends on them.
pub(super) fn machine(data: String, build: &str, cores: usize, server: &ServerFacts) -> [String; 3] {
    let ServerFacts { version, fsync, synchronous_commit, full_page_writes, .. } = server;
    let ServerFacts { wal_level, shared_buffers, max_wal_size, .. } = server;
    [
        format!("{data}{build} build, {cores} cores for client and server."),
        format!(
            "PostgreSQL {version}: fsync {fsync}, synchronous_commit {synchronous_commit}, full_page_writes {full_page_writes},"
        ),
        format!("wal_level {wal_level}, shared_buffers {shared_buffers}, max_wal_size {max_wal_size}."),
    ]
}

/// The goals and the figures that were reached.
pub(super) fn goals(goals: &[BenchGoal]) -> Block {
    let figure = |goal: &BenchGoal, figure: f64| match goal.unit {
        "times" => format!("× {figure:.2}"),
        unit => format!("{figure:.0} {unit}"),
    };
    let lines = goals.iter().map(|goal| {
        let outcome = if goal.met { "met".to_owned() } else { format!("missed by × {:.2}", goal.missed_by()) };
        let bound = if goal.at_least { "at least" } else { "at most" };
        vec![
            goal.name.to_owned(),
            format!("{bound} {}", figure(goal, goal.wanted)),
            figure(goal, goal.reached),
            outcome,
        ]
    });
    Table::new([text("goal"), number("wanted"), number("reached"), text("")], lines).into()
}
