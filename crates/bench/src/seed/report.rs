//! What `bench seed` measured.

use serde::Serialize;

use crate::report::{PeakMemory, ServerFacts};

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
