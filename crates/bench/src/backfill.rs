//! `bench backfill`: the job beside one big UPDATE, and beside row by row with a transaction each.

use local_db::{Role, Seed};
use sqlx::Row as _;
use tenant_rls::{DatabaseUrl, DirectConnection};

use crate::Result;
use crate::candidates::{self, Booking};
use crate::databases::{Databases, query};
use crate::measured::Measured;
use crate::report::{BackfillBenchReport, Candidate, CandidateReport, ServerFacts};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillBench {
    /// Bookings in each copy; nine in ten of them have no tenant.
    pub rows: u32,
    /// Tenants in each copy.
    pub tenants: u32,
    /// Bookings that row by row works on: as its speed does not depend on how many there are, it need not do all. One
    /// half comes before the others and one after them, as it waits for the disk most and neighbours come and go.
    pub slice: u32,
}

impl Default for BackfillBench {
    fn default() -> Self {
        Self { rows: 200_000, tenants: 20, slice: 4_000 }
    }
}

/// Runs the benchmark on the server of `superuser`, in databases of its own that are removed at the end, also after an
/// error. If the future is dropped, [`remove`](crate::remove) does that.
///
/// `progress` gets a line before each step.
///
/// # Errors
/// [`Error::Busy`](crate::Error::Busy) while another benchmark runs there, and whatever the server or the job says.
pub async fn backfill(
    superuser: &DatabaseUrl,
    bench: &BackfillBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<BackfillBenchReport> {
    let mut databases = Databases::open(superuser).await?;
    let measured = measure(&mut databases, bench, progress).await;
    databases.tidy_up(measured).await
}

/// So many batches of the job run at once; two is its default.
const WORKERS: [u32; 3] = [1, 2, 4];

/// One run of the job.
struct Job {
    workers: u32,
    measured: Measured,
    checksum: String,
    role: String,
}

async fn measure(
    databases: &mut Databases,
    bench: &BackfillBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<BackfillBenchReport> {
    let seed = Seed { tenants: bench.tenants, bookings: bench.rows, ..Seed::default() };
    let planted = databases.plant(&seed, progress).await?;
    let owner = databases.copy_url(Role::Owner);

    progress("row by row, a transaction each");
    databases.fresh_copy().await?;
    let server = server_facts(&owner).await?;
    let slice = candidates::slice(&owner, bench.slice).await?;
    let (before, after) = slice.split_at(slice.len() / 2);
    let mut row_by_row = candidates::row_by_row(&owner, before).await?;
    let row_by_row_before = checksum(&owner, Some(before)).await?;

    progress("one UPDATE");
    databases.fresh_copy().await?;
    let one_update = candidates::one_update(&owner).await?;
    let one_update_slice = [checksum(&owner, Some(before)).await?, checksum(&owner, Some(after)).await?];
    let one_update_all = checksum(&owner, None).await?;

    let mut jobs = Vec::new();
    for workers in WORKERS {
        progress(&format!("the backfill, workers: {workers}"));
        databases.fresh_copy().await?;
        let (measured, report) = candidates::backfill(&owner, workers).await?;
        jobs.push(Job { workers, measured, checksum: checksum(&owner, None).await?, role: report.role });
    }

    progress("row by row again");
    databases.fresh_copy().await?;
    row_by_row += candidates::row_by_row(&owner, after).await?;
    let row_by_row_slice = [row_by_row_before, checksum(&owner, Some(after)).await?];

    let line = |candidate, workers, examined, measured: Measured| CandidateReport {
        candidate,
        workers,
        examined,
        rows: measured.done,
        seconds: measured.time.as_secs_f64(),
        rows_per_second: measured.per_second(),
        times_row_by_row: measured.per_second() / row_by_row.per_second(),
        times_one_update: measured.per_second() / one_update.per_second(),
    };
    Ok(BackfillBenchReport {
        schema: "bench-backfill/1",
        bookings: planted.bookings,
        tenants: planted.tenants,
        without_tenant: planted.bookings_without_tenant,
        candidates: [
            line(Candidate::RowByRow, None, slice.len() as u64, row_by_row),
            line(Candidate::OneUpdate, None, planted.bookings_without_tenant, one_update),
        ]
        .into_iter()
        .chain(
            jobs.iter()
                .map(|job| line(Candidate::Backfill, Some(job.workers), planted.bookings_without_tenant, job.measured)),
        )
        .collect(),
        same_result: jobs.iter().all(|job| job.checksum == one_update_all),
        same_slice: row_by_row_slice == one_update_slice,
        same_count: jobs.iter().all(|job| job.measured.done == one_update.done),
        role: jobs.pop().map(|job| job.role).unwrap_or_default(),
        server,
        build: crate::report::build(),
        cores: crate::report::cores(),
    })
}

/// Which booking has which tenant, as one number, over all bookings or some.
async fn checksum(owner: &DatabaseUrl, slice: Option<&[Booking]>) -> Result<String> {
    let ids: Option<Vec<&str>> = slice.map(|slice| slice.iter().map(|booking| booking.id.as_str()).collect());
    let mut session = DirectConnection::connect(owner, "bench").await?;
    let sum = sqlx::query_scalar(include_str!("../../../sql/bench/checksum.sql"))
        .bind(ids)
        .fetch_one(session.connection())
        .await
        .map_err(query("comparing the results"))?;
    session.close().await;
    Ok(sum)
}

pub(crate) async fn server_facts(owner: &DatabaseUrl) -> Result<ServerFacts> {
    let mut session = DirectConnection::connect(owner, "bench").await?;
    let row = sqlx::query(include_str!("../../../sql/bench/server_facts.sql"))
        .fetch_one(session.connection())
        .await
        .map_err(query("asking the server for its settings"))?;
    session.close().await;
    Ok(ServerFacts {
        version: row.get(0),
        fsync: row.get(1),
        synchronous_commit: row.get(2),
        full_page_writes: row.get(3),
        wal_level: row.get(4),
        shared_buffers: row.get(5),
    })
}
