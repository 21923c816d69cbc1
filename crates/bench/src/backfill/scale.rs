//! `bench backfill --scale`: whether the time of the job grows linearly with the rows, beside that of one UPDATE, and its memory not
//! at all.

use local_db::{Role, Seed};
use tenancy_config::DatabaseUrl;

use crate::backfill::candidates::Job;
use crate::backfill::goals;
use crate::backfill::report::{ScalePoint, ScaleReport};
use crate::backfill::runs::{BenchCandidate, MeasuredRun, watched};
use crate::databases::{Databases, server_facts};
use crate::disk;
use crate::error::{Error, Result};
use crate::report::{build, cores};

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleBench {
    /// Bookings, one database after the other, the smallest first.
    pub rows: Vec<u32>,
    /// Tenants in each.
    pub tenants: u32,
    /// Batches at once.
    pub workers: u32,
    /// Whether the report has what the job spent its time with.
    pub profile: bool,
}

impl ScaleBench {
    /// The sizes up to, and with, the largest.
    pub fn up_to(largest: u32) -> Self {
        let rows = [100_000, 1_000_000, 10_000_000].into_iter().filter(|rows| *rows <= largest).collect();
        Self { rows, tenants: 1_000, workers: 2, profile: false }
    }
}

/// Runs the benchmark as [`backfill`](crate::backfill()) does.
///
/// # Errors
/// [`Error::Busy`] while another benchmark runs on the server; [`Error::DiskSpace`] where the largest size does not fit, before the
/// first one is planted; and the error of the server or the job.
pub async fn scale(
    superuser: &DatabaseUrl,
    bench: &ScaleBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<ScaleReport> {
    let mut databases = Databases::open(superuser).await?;
    let measured = measure(&mut databases, bench, progress).await;
    databases.clean_up(measured).await
}

async fn measure(
    databases: &mut Databases,
    bench: &ScaleBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<ScaleReport> {
    let largest = bench.rows.iter().copied().max().unwrap_or_default();
    disk::check(databases, largest, progress).await?;
    let (mut runs, mut server) = (Vec::new(), None);
    for &bookings in &bench.rows {
        progress(&format!("bookings: {bookings}"));
        databases.remove().await?;
        let seed = Seed { tenants: bench.tenants, bookings, ..Seed::default() };
        let planted = databases.plant(&seed, progress).await?;
        let mut run = async |candidate: BenchCandidate<'_>| {
            progress(&candidate.name());
            watched(databases, candidate).await
        };
        let (job, one_update) =
            (run(BenchCandidate::Job(Job::full_speed(bench.workers))).await?, run(BenchCandidate::OneUpdate).await?);
        runs.push(Size { bookings: planted.bookings, job, one_update });
        server = Some(server_facts(&databases.copy_url(Role::Owner)).await?);
    }
    let Some(server) = server else {
        return Err(Error::Measure { doing: "choosing the sizes".into(), why: "none was given".into() });
    };
    let points = points(&runs, bench.profile);
    Ok(ScaleReport {
        schema: "bench-backfill-scale/1",
        tenants: u64::from(bench.tenants),
        workers: bench.workers,
        goals: goals::of_scale(&points),
        points,
        longest_gap_ms: runs.iter().map(|size| size.job.observed.longest_gap * 1e3).fold(0.0, f64::max),
        server,
        build: build(),
        cores: cores(),
    })
}

/// The runs over one size.
struct Size {
    bookings: u64,
    job: MeasuredRun,
    one_update: MeasuredRun,
}

fn points(sizes: &[Size], profile: bool) -> Vec<ScalePoint> {
    let speed = |run: &MeasuredRun| run.measured.per_second().max(f64::MIN_POSITIVE);
    let point = |size: &Size| ScalePoint {
        bookings: size.bookings,
        figures: size.job.figures(profile),
        times_per_row: speed(&sizes[0].job) / speed(&size.job),
        one_update: size.one_update.figures(profile),
        one_update_times_per_row: speed(&sizes[0].one_update) / speed(&size.one_update),
        times_one_update: speed(&size.job) / speed(&size.one_update),
    };
    sizes.iter().map(point).collect()
}
