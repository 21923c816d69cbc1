//! The benchmarks behind `cargo xtask bench`: a job beside simpler ways to do the same, each on a fresh copy of the same data.
//!
//! A figure means little outside its run, as machines, settings and other load differ. So all candidates of a benchmark run
//! one after the other in one process, and the report has ratios and what they depend on.

mod backfill;
mod databases;
mod disk;
mod error;
#[cfg(feature = "jwt")]
mod jwt;
pub mod leaks;
mod load;
mod measured;
mod memory;
mod report;
mod rls;
mod seed;
mod watch;

pub use backfill::report::{
    BackfillBenchReport, BenchGoal, BesideLoad, CandidateReport, Figures, Method, ScalePoint, ScaleReport, Wait,
};
pub use backfill::scale::{ScaleBench, scale};
pub use backfill::{BackfillBench, backfill};
pub use databases::remove;
pub use error::{Error, Result};
#[cfg(feature = "jwt")]
pub use jwt::{JwtBench, JwtBenchReport, JwtCandidate, jwt};
pub use leaks::corpus::Expected;
pub use leaks::report::{CaseReport, CaseResult, LeaksReport, OtherTool, Score};
pub use leaks::run::{LeaksBench, leaks};
pub use report::{
    Latency, LoadReport, LoadStatement, ManyTables, PeakMemory, RlsBenchReport, ServerFacts, StatementReport,
};
pub use rls::{RlsBench, rls};
pub use seed::report::{SeedBenchReport, SeedCandidate, SeedCandidateReport};
pub use seed::{SeedBench, seed};
