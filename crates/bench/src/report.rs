//! What a benchmark measured, and what the figures depend on.

use std::collections::BTreeMap;

use serde::Serialize;

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
    /// How much log there may be before the next checkpoint.
    pub max_wal_size: String,
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

/// The report of [`rls`](crate::rls()); its JSON is `bench-rls/1`.
#[derive(Debug, Clone, Serialize)]
pub struct RlsBenchReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Bookings before the load inserted its own.
    pub bookings: u64,
    /// Tenants.
    pub tenants: u64,
    /// Connections of the load.
    pub connections: u32,
    /// What the load measured before, during and after the rollout.
    pub stages: Vec<LoadReport>,
    /// Whether every table went the whole way.
    pub complete: bool,
    /// How long the rollout took, its waits for locks included.
    pub seconds: f64,
    /// How often it gave a lock up that it did not get in time.
    pub waits: u64,
    /// How many of these were for an autovacuum: the next attempt then waits longer, and so do those behind it.
    pub autovacuum_waits: u64,
    /// The lock timeout and 100 ms, which no statement should exceed.
    pub limit_ms: f64,
    /// The same commands over many tables.
    pub many: ManyTables,
    /// The server.
    pub server: ServerFacts,
    /// How this program was built, `debug` or `release`.
    pub build: &'static str,
    /// Processor cores that client and server share; 0 where the system does not tell.
    pub cores: usize,
}

/// What all connections of the load measured in one stage.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// `before`, `during` or `after` what is measured.
    pub stage: &'static str,
    /// Statements, BEGIN and COMMIT among them.
    pub statements: u64,
    /// Those that failed, by SQLSTATE.
    pub failed: BTreeMap<String, u64>,
    /// All of them together.
    #[serde(flatten)]
    pub took: Latency,
    /// The same by what they do; empty without a profile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_statement: Vec<StatementReport>,
}

/// How long one of the statements of the load took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StatementReport {
    /// Which one.
    pub statement: LoadStatement,
    /// All its times.
    #[serde(flatten)]
    pub took: Latency,
}

/// How long statements took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Latency {
    /// Half took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took no longer, in milliseconds.
    pub p99_ms: f64,
    /// The longest, in milliseconds.
    pub longest_ms: f64,
}

/// What a statement of the load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadStatement {
    /// Begins a transaction.
    Begin,
    /// Sets the tenant.
    Scope,
    /// Reads one booking by its key.
    ByKey,
    /// Reads the newest bookings of a client.
    List,
    /// Inserts a booking.
    Insert,
    /// Updates a booking by its key.
    Update,
    /// Commits; of two in three transactions that means waiting for the disk.
    Commit,
}

/// How long the commands take over many tables, the connection aside.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ManyTables {
    /// All tables.
    pub tables: u64,
    /// `rls status`, in milliseconds.
    pub status_ms: f64,
    /// `rls plan`, in milliseconds.
    pub plan_ms: f64,
    /// Tables that were still to be rolled out.
    pub rolled_out: u64,
    /// Whether all of them went the whole way.
    pub complete: bool,
    /// `rls rollout`, in milliseconds for each of those.
    pub rollout_ms_per_table: f64,
}

impl RlsBenchReport {
    /// Whether every table went the whole way and no statement of the load failed.
    pub fn is_unharmed(&self) -> bool {
        self.complete && self.many.complete && self.stages.iter().all(|stage| stage.failed.is_empty())
    }
}

pub(crate) fn build() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}
