//! What a benchmark measured, and what the figures depend on.

use serde::Serialize;

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
    /// The candidates; half of the first ran before the others, and half after them.
    pub candidates: Vec<CandidateReport>,
    /// Whether one UPDATE and the job, with however many workers, left every booking with the same tenant, compared by checksum.
    pub same_result: bool,
    /// Whether row by row gave the rows of its slice the same tenants as the two others.
    pub same_slice: bool,
    /// Whether the job said that it assigned as many rows as one UPDATE wrote.
    pub same_count: bool,
    /// The role that the job wrote as.
    pub role: String,
    /// The server.
    pub server: ServerFacts,
    /// How this program was built, `debug` or `release`: row by row waits for it most.
    pub build: &'static str,
    /// Processor cores that client and server share; 0 where the system does not tell.
    pub cores: usize,
}

/// What decides how fast a server writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerFacts {
    /// Its version, such as `15.18`.
    pub version: String,
    /// Whether it flushes to disk at all.
    pub fsync: String,
    /// Whether a commit waits for that, unless a transaction says otherwise.
    pub synchronous_commit: String,
    /// Whether whole pages go to the log after a checkpoint.
    pub full_page_writes: String,
    /// How much goes to the log.
    pub wal_level: String,
    /// The server's own cache.
    pub shared_buffers: String,
}

/// A way to give bookings their tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Candidate {
    /// One set-based statement over the whole table.
    OneUpdate,
    /// The job: batches with scope, journal and checkpoint.
    Backfill,
    /// A transaction for each row, driven by the client, over a slice of the table.
    RowByRow,
}

/// What one candidate did.
#[derive(Debug, Clone, Serialize)]
pub struct CandidateReport {
    /// Which one.
    pub candidate: Candidate,
    /// Batches at once, of the job.
    pub workers: Option<u32>,
    /// Rows without a tenant that it looked at.
    pub examined: u64,
    /// Rows that it gave a tenant.
    pub rows: u64,
    /// From its first statement to its last answer, in seconds; connecting is not in it.
    pub seconds: f64,
    /// Rows that it gave a tenant for each second.
    pub rows_per_second: f64,
    /// Its rows/s divided by those of row by row.
    pub times_row_by_row: f64,
    /// Its rows/s divided by those of one UPDATE.
    pub times_one_update: f64,
}

impl BackfillBenchReport {
    /// Whether all candidates did the same work; if not, the figures compare nothing.
    pub fn candidates_agree(&self) -> bool {
        self.same_result && self.same_slice && self.same_count
    }
}

/// The report of [`seed`](crate::seed()); its JSON is `bench-seed/1`.
#[derive(Debug, Clone, Serialize)]
pub struct SeedBenchReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Tenants without settings in each copy.
    pub tenants: u64,
    /// The candidates; half of the first ran before the others, and half after them.
    pub candidates: Vec<SeedCandidateReport>,
    /// The most memory of this process while the job read files of different length; empty where the system does not tell.
    pub memory: Vec<PeakMemory>,
    /// Whether all of them left every tenant with the same settings, compared by checksum.
    pub same_result: bool,
    /// The server.
    pub server: ServerFacts,
    /// How this program was built, `debug` or `release`.
    pub build: &'static str,
    /// Processor cores that client and server share; 0 where the system does not tell.
    pub cores: usize,
}

/// A way to give tenants their settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedCandidate {
    /// A transaction for each tenant, one round trip a statement, one after the other.
    RoundTrips,
    /// The job on one connection: one statement a tenant.
    OneConnection,
    /// The job as it is.
    Job,
}

/// What one candidate did.
#[derive(Debug, Clone, Serialize)]
pub struct SeedCandidateReport {
    /// Which one.
    pub candidate: SeedCandidate,
    /// Tenants that got settings.
    pub tenants: u64,
    /// From its first statement to its last answer, in seconds; connecting is not in it.
    pub seconds: f64,
    /// Tenants for each second.
    pub tenants_per_second: f64,
    /// Its tenants/s divided by those of one round trip a statement.
    pub times_round_trips: f64,
}

/// Memory of this process while the job read one file, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PeakMemory {
    /// Lines of the file.
    pub lines: u64,
    /// In use before.
    pub before_kib: u64,
    /// The most that was in use.
    pub peak_kib: u64,
}

pub(crate) fn build() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}
