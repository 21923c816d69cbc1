//! `bench backfill`: the job beside one big UPDATE, batches in the order of keys, and row by row with a transaction each; alone, and
//! beside the load of an application.

mod candidates;
mod goals;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod scale;

use std::time::Duration;

use local_db::{Planted, Role, Seed};
use tenancy_config::DatabaseUrl;

use crate::backfill::candidates::{Booking, Job};
use crate::backfill::report::{BackfillBenchReport, BesideLoad};
use crate::backfill::runs::{BenchCandidate, CandidateRunner, Runs};
use crate::databases::{Databases, server_facts};
use crate::disk;
use crate::error::Result;
use crate::load::{CONNECTIONS, LoadWork};
use crate::report::{ServerFacts, build, cores};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillBench {
    /// Bookings in each copy; nine in ten of them have no tenant.
    pub rows: u32,
    /// Tenants in each copy, of very different size.
    pub tenants: u32,
    /// Bookings that row by row works on: as its speed does not depend on how many there are, it need not do all. One
    /// half comes before the others and one after them, as it waits for the disk most and the load of other machines varies.
    pub slice: u32,
    /// How long the load of an application runs alone before it runs beside a candidate, long enough for its p99 not to be that of a few
    /// COMMITs; `None`: no load.
    pub load: Option<Duration>,
    /// Whether the report has what the candidates spent their time with.
    pub profile: bool,
}

impl Default for BackfillBench {
    fn default() -> Self {
        Self { rows: 200_000, tenants: 1_000, slice: 4_000, load: Some(Duration::from_secs(20)), profile: false }
    }
}

/// Runs the benchmark on the server of `superuser`, in databases of its own that are removed at the end, also after an
/// error. If the future is dropped, [`remove`](crate::remove) does that.
///
/// `progress` gets a line before each step.
///
/// # Errors
/// [`Error::Busy`](crate::Error::Busy) while another benchmark runs there, [`Error::DiskSpace`](crate::Error::DiskSpace) where its disk
/// is too small, and the error of the server or the job.
pub async fn backfill(
    superuser: &DatabaseUrl,
    bench: &BackfillBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<BackfillBenchReport> {
    let mut databases = Databases::open(superuser).await?;
    let measured = measure(&mut databases, bench, progress).await;
    databases.clean_up(measured).await
}

/// Numbers of batches that the job runs at once; two is its default.
const WORKERS: [u32; 3] = [1, 2, 4];

/// A connection of the load begins a transaction that often, as people who wait for an answer before they go on would; eight
/// connections leave the machine room for what is measured.
const LOAD_EVERY: Duration = Duration::from_millis(40);

async fn measure(
    databases: &mut Databases,
    bench: &BackfillBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<BackfillBenchReport> {
    disk::check(databases, bench.rows, progress).await?;
    let seed = Seed { tenants: bench.tenants, bookings: bench.rows, ..Seed::default() };
    let planted = databases.plant(&seed, progress).await?;
    let work = LoadWork::choose(&databases.template_url(), bench.rows, Some(LOAD_EVERY)).await?;
    let slice = candidates::slice(&databases.template_url(), bench.slice).await?;
    let runs = alone(databases, &slice, progress).await?;
    let server = server_facts(&databases.copy_url(Role::Owner)).await?;
    let beside_load = match bench.load {
        Some(time) => beside(databases, &work, time, bench.profile, progress).await?,
        None => Vec::new(),
    };
    Ok(summary(bench, &planted, slice.len(), &runs, beside_load, server))
}

/// Each candidate on a copy of its own, with the machine to itself. What the job is compared with runs before and after it.
async fn alone(databases: &mut Databases, slice: &[Booking], progress: &mut (dyn FnMut(&str) + Send)) -> Result<Runs> {
    let halves = slice.split_at(slice.len() / 2);
    let mut runner = CandidateRunner { databases, halves, progress };
    let row_by_row = runner.run(BenchCandidate::RowByRow(halves.0), false).await?;
    let one_update = runner.run(BenchCandidate::OneUpdate, false).await?;
    let key_order = runner.run(BenchCandidate::KeyOrder, false).await?;
    let mut jobs = Vec::new();
    for workers in WORKERS {
        jobs.push((workers, runner.run(BenchCandidate::Job(Job::full_speed(workers)), false).await?));
    }
    let one_update = [one_update, runner.run(BenchCandidate::OneUpdate, true).await?];
    let row_by_row = [row_by_row, runner.run(BenchCandidate::RowByRow(halves.1), true).await?];
    Ok(Runs { row_by_row, one_update, key_order, jobs })
}

/// Some candidates beside the load.
async fn beside(
    databases: &mut Databases,
    work: &LoadWork,
    time: Duration,
    profile: bool,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<BesideLoad>> {
    let gentle = Job { full_speed: false, ..Job::full_speed(2) };
    let mut measured = Vec::new();
    for candidate in [
        BenchCandidate::OneUpdate,
        BenchCandidate::Job(Job::full_speed(1)),
        BenchCandidate::Job(Job::full_speed(2)),
        BenchCandidate::Job(gentle),
    ] {
        progress(&format!("{} beside a load", candidate.name()));
        measured.push(runs::beside(databases, candidate, work, time, profile).await?);
    }
    Ok(measured)
}

fn summary(
    bench: &BackfillBench,
    planted: &Planted,
    slice: usize,
    runs: &Runs,
    beside_load: Vec<BesideLoad>,
    server: ServerFacts,
) -> BackfillBenchReport {
    let agreement = runs.agreement();
    let candidates = runs.reports(planted.bookings_without_tenant, slice as u64, bench.profile);
    BackfillBenchReport {
        schema: "bench-backfill/1",
        bookings: planted.bookings,
        tenants: planted.tenants,
        without_tenant: planted.bookings_without_tenant,
        goals: goals::of(&candidates, &beside_load),
        candidates,
        beside_load,
        connections: CONNECTIONS,
        transaction_every_ms: tenancy_config::milliseconds(LOAD_EVERY),
        same_result: agreement.result,
        same_slice: agreement.slice,
        same_count: agreement.count,
        role: runs.role().unwrap_or_default().to_owned(),
        longest_gap_ms: runs.longest_gap_ms(),
        server,
        build: build(),
        cores: cores(),
    }
}
