//! What `bench backfill` measured.

use serde::Serialize;

use crate::report::{LoadReport, ServerFacts};

/// The report of [`backfill`](crate::backfill()); its JSON is `bench-backfill/1`.
#[derive(Debug, Clone, Serialize)]
pub struct BackfillBenchReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Bookings in each copy.
    pub bookings: u64,
    /// Tenants in each copy.
    pub tenants: u64,
    /// Bookings without a tenant in each copy.
    pub without_tenant: u64,
    /// The candidates, in the order of the table. One half of row by row ran before all others and one after them; one UPDATE ran
    /// before and after the job, and its faster run is the one that counts.
    pub candidates: Vec<CandidateReport>,
    /// Candidates beside the load of an application; empty where none was asked for.
    pub beside_load: Vec<BesideLoad>,
    /// Connections of that load.
    pub connections: u32,
    /// How often each of them begins a transaction, in milliseconds.
    pub transaction_every_ms: u64,
    /// The goals, and whether they were met.
    pub goals: Vec<BenchGoal>,
    /// Whether one UPDATE, batches in the order of keys, and the job with however many workers left every booking with the same
    /// tenant, compared by checksum.
    pub same_result: bool,
    /// Whether row by row gave the rows of its slice the same tenants as the others.
    pub same_slice: bool,
    /// Whether all of them wrote as many rows as one UPDATE, or said so.
    pub same_count: bool,
    /// The role that the job wrote as.
    pub role: String,
    /// The longest time between two samples of the candidates, in milliseconds: sampled times are too long by up to this at either end.
    pub longest_gap_ms: f64,
    /// The server.
    pub server: ServerFacts,
    /// How this program was built, `debug` or `release`: row by row waits for it most.
    pub build: &'static str,
    /// Processor cores that client and server share; 0 where the system does not tell.
    pub cores: usize,
}

/// A way to give bookings their tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// One set-based statement over the whole table.
    OneUpdate,
    /// The job: batches with scope, journal and checkpoint.
    Backfill,
    /// Batches in the order of the primary key, a transaction each, as other tools do it.
    KeyOrder,
    /// A transaction for each row, driven by the client, over a slice of the table.
    RowByRow,
}

/// What one candidate did.
#[derive(Debug, Clone, Serialize)]
pub struct CandidateReport {
    /// Which one.
    pub candidate: Method,
    /// Batches at once, of the job.
    pub workers: Option<u32>,
    /// Rows without a tenant that it examined.
    pub examined: u64,
    /// What it did.
    #[serde(flatten)]
    pub figures: Figures,
    /// Its rows/s divided by those of row by row.
    pub times_row_by_row: f64,
    /// Its rows/s divided by those of one UPDATE.
    pub times_one_update: f64,
}

/// What one run did, and what it cost.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Rows that it gave a tenant.
    pub rows: u64,
    /// From its first statement to its last answer, in seconds; connecting is not in it.
    pub seconds: f64,
    /// Rows that it gave a tenant for each second.
    pub rows_per_second: f64,
    /// The longest transaction, in milliseconds, from samples. Of the job this is a snapshot in which it counts the rows that remain.
    pub longest_transaction_ms: f64,
    /// The longest time in one transaction from its first lock on a row to its end, in milliseconds, from samples.
    pub longest_locks_ms: f64,
    /// Log that the server wrote meanwhile, in bytes.
    pub wal_bytes: u64,
    /// The most memory that this process had meanwhile, in KiB; `null` where the system does not tell.
    pub peak_memory_kib: Option<u64>,
    /// What its sessions spent their transactions with, the most frequent first; empty where no profile was asked for.
    pub waits: Vec<Wait>,
    /// The share of the time in which an autovacuum worked beside it.
    pub autovacuum: f64,
}

/// What sessions waited for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wait {
    /// Type and name of the wait event, such as `IO:DataFileRead`; `CPU` for none.
    pub event: String,
    /// Sessions at a time, in the mean.
    pub sessions: f64,
}

/// A candidate and a load beside each other.
#[derive(Debug, Clone, Serialize)]
pub struct BesideLoad {
    /// Which one.
    pub candidate: Method,
    /// Batches at once, of the job.
    pub workers: Option<u32>,
    /// Whether the job ran as fast as it could, and not in its default mode, in which it gives way.
    pub full_speed: bool,
    /// Rows that the candidate gave a tenant for each second.
    pub rows_per_second: f64,
    /// What the load measured on the same copy before, and beside the candidate.
    pub stages: Vec<LoadReport>,
    /// The p99 of the load beside the candidate divided by that before.
    pub times_p99: f64,
}

/// A goal, and whether it was met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchGoal {
    /// What is measured.
    pub name: &'static str,
    /// The figure to reach.
    pub wanted: f64,
    /// Whether more than that is better, or less.
    pub at_least: bool,
    /// The figure that was reached.
    pub reached: f64,
    /// The unit of both: `times`, `ms`, `MiB`.
    pub unit: &'static str,
    /// Whether it was met.
    pub met: bool,
}

impl BenchGoal {
    /// A figure that must not be less.
    pub(crate) fn at_least(name: &'static str, wanted: f64, reached: f64) -> Self {
        Self { name, wanted, at_least: true, reached, unit: "times", met: reached >= wanted }
    }

    /// A figure that must not be more.
    pub(crate) fn at_most(name: &'static str, wanted: f64, reached: f64, unit: &'static str) -> Self {
        Self { name, wanted, at_least: false, reached, unit, met: reached <= wanted }
    }

    /// By which factor it was missed; 1 or less where it was met.
    pub fn missed_by(&self) -> f64 {
        if self.at_least { self.wanted / self.reached.max(f64::MIN_POSITIVE) } else { self.reached / self.wanted }
    }
}

impl BackfillBenchReport {
    /// Whether all candidates did the same work; if not, the figures compare nothing.
    pub fn candidates_agree(&self) -> bool {
        self.same_result && self.same_slice && self.same_count
    }
}

/// The report of [`scale`](crate::scale()); its JSON is `bench-backfill-scale/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ScaleReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Tenants in each database.
    pub tenants: u64,
    /// Batches at once.
    pub workers: u32,
    /// One for each size, the smallest first.
    pub points: Vec<ScalePoint>,
    /// The goals, and whether they were met.
    pub goals: Vec<BenchGoal>,
    /// The longest time between two samples, in milliseconds.
    pub longest_gap_ms: f64,
    /// The server.
    pub server: ServerFacts,
    /// How this program was built, `debug` or `release`.
    pub build: &'static str,
    /// Processor cores that client and server share; 0 where the system does not tell.
    pub cores: usize,
}

/// The job on a database of one size.
#[derive(Debug, Clone, Serialize)]
pub struct ScalePoint {
    /// Bookings.
    pub bookings: u64,
    /// What the job did.
    #[serde(flatten)]
    pub figures: Figures,
    /// Its time for each row divided by that of the smallest size: 1 where time grows linearly.
    pub times_per_row: f64,
    /// One UPDATE on a fresh copy of the same data.
    pub one_update: Figures,
    /// The same of it: what the server alone needs more for a row as the table grows.
    pub one_update_times_per_row: f64,
    /// The job's rows/s divided by those of one UPDATE.
    pub times_one_update: f64,
}
