//! The goals of the backfill, and whether they were met.

use crate::backfill::report::{BenchGoal, BesideLoad, CandidateReport, Method, ScalePoint};

/// The most memory that the job's process may have, in MiB, however many rows there are.
const MEMORY_MIB: f64 = 64.0;

/// The goals of `bench backfill`; those whose figure this run did not measure are left out.
pub(crate) fn of(candidates: &[CandidateReport], beside_load: &[BesideLoad]) -> Vec<BenchGoal> {
    let job = |workers| {
        let is = |line: &&CandidateReport| line.candidate == Method::Backfill && line.workers == Some(workers);
        candidates.iter().find(is)
    };
    let jobs = || candidates.iter().filter(|line| line.candidate == Method::Backfill);
    let locks = jobs().map(|line| line.figures.longest_locks_ms).fold(0.0, f64::max);
    let memory = jobs().filter_map(|line| line.figures.peak_memory_kib).max();
    let gentle = beside_load.iter().find(|line| line.candidate == Method::Backfill && !line.full_speed);
    let mut goals = Vec::new();
    goals.extend(job(2).map(|line| BenchGoal::at_least("2 workers beside one UPDATE", 1.3, line.times_one_update)));
    goals.extend(job(1).map(|line| BenchGoal::at_least("1 worker beside one UPDATE", 0.75, line.times_one_update)));
    goals.extend(job(2).map(|line| BenchGoal::at_least("2 workers beside row by row", 50.0, line.times_row_by_row)));
    goals.push(BenchGoal::at_most("longest transaction with locks on rows", 1_000.0, locks, "ms"));
    goals.extend(memory.map(memory_goal));
    goals.extend(
        gentle.map(|line| BenchGoal::at_most("p99 of the load beside the default mode", 2.0, line.times_p99, "times")),
    );
    goals
}

/// The goals of `bench backfill --scale`.
pub(crate) fn of_scale(points: &[ScalePoint]) -> Vec<BenchGoal> {
    let mut goals = Vec::new();
    if let [_, .., largest] = points {
        goals.push(BenchGoal::at_most(
            "time for a row of the largest beside the smallest",
            1.25,
            largest.times_per_row,
            "times",
        ));
    }
    let locks = points.iter().map(|point| point.figures.longest_locks_ms).fold(0.0, f64::max);
    goals.push(BenchGoal::at_most("longest transaction with locks on rows", 1_000.0, locks, "ms"));
    goals.extend(points.iter().filter_map(|point| point.figures.peak_memory_kib).max().map(memory_goal));
    goals
}

fn memory_goal(kib: u64) -> BenchGoal {
    BenchGoal::at_most("memory of the job", MEMORY_MIB, kib as f64 / 1024.0, "MiB")
}
