//! `bench seed`: the job beside one round trip a statement, on tenants without settings.

mod candidates;
pub(crate) mod report;

use std::path::Path;

use local_db::Role;
use seed_tenant_defaults::{CheckedList, SeedOptions, TenantSelection};
use sqlx::Row as _;
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;

use crate::databases::{Databases, server_facts};
use crate::error::{Result, query};
use crate::measured::Measured;
use crate::memory::Memory;
use crate::report::{build, cores};
use crate::seed::report::{SeedBenchReport, SeedCandidate, SeedCandidateReport};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedBench {
    /// Tenants in each copy, and lines of the CSV file.
    pub tenants: u32,
    /// Lines of the file that memory is compared with.
    pub few: u32,
}

impl Default for SeedBench {
    fn default() -> Self {
        Self { tenants: 10_000, few: 1_000 }
    }
}

/// Runs the benchmark as [`backfill`](crate::backfill()) does.
///
/// # Errors
/// [`Error::Busy`](crate::Error::Busy) while another benchmark runs on the server, and the error of the server or the job.
pub async fn seed(
    superuser: &DatabaseUrl,
    bench: &SeedBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<SeedBenchReport> {
    let mut databases = Databases::open(superuser).await?;
    let measured = measure(&mut databases, bench, progress).await;
    databases.clean_up(measured).await
}

async fn measure(
    databases: &mut Databases,
    bench: &SeedBench,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<SeedBenchReport> {
    progress("making the tenants");
    databases.plant_tenants(bench.tenants).await?;
    let login = databases.copy_url(Role::AppUser);
    let folder = tempfile::tempdir()?;
    let list = |name: &str, tenants| list(&folder.path().join(name), tenants);
    let (all, few) = (list("all.csv", bench.tenants)?, list("few.csv", bench.few.min(bench.tenants))?);
    let options = |list: &CheckedList, connections| SeedOptions {
        connections,
        ..SeedOptions::new(TenantSelection::List(list.clone()))
    };

    // The load of other machines varies: one half runs before the others, and one after them.
    let half = bench.tenants / 2;
    progress("one round trip a statement");
    databases.fresh_copy().await?;
    let server = server_facts(&login).await?;
    let mut round_trips = candidates::round_trips(&login, 1..=half).await?;
    let before = settings(databases).await?;

    let (mut memory, mut jobs, mut left) = (Vec::new(), Vec::new(), Vec::new());
    progress("the job, few tenants");
    databases.fresh_copy().await?;
    let watch = Memory::watch();
    candidates::job(&login, &options(&few, 8)).await?;
    memory.extend(watch.and_then(|watch| watch.peak(few.tenants())));

    for (candidate, connections, what) in [
        (SeedCandidate::OneConnection, 1, "the job on one connection"),
        (SeedCandidate::Job, SeedOptions::new(TenantSelection::All).connections, "the job"),
    ] {
        progress(what);
        databases.fresh_copy().await?;
        let watch = Memory::watch();
        jobs.push((candidate, candidates::job(&login, &options(&all, connections)).await?));
        if candidate == SeedCandidate::Job {
            memory.extend(watch.and_then(|watch| watch.peak(all.tenants())));
        }
        left.push(settings(databases).await?);
    }

    progress("one round trip a statement again");
    databases.fresh_copy().await?;
    round_trips += candidates::round_trips(&login, half + 1..=bench.tenants).await?;
    let after = settings(databases).await?;
    left.push(Settings { checksum: before.checksum + after.checksum, tenants: before.tenants + after.tenants });

    let line = |(candidate, measured): (SeedCandidate, Measured)| SeedCandidateReport {
        candidate,
        tenants: measured.done,
        seconds: measured.time.as_secs_f64(),
        tenants_per_second: measured.per_second(),
        times_round_trips: measured.per_second() / round_trips.per_second(),
    };
    Ok(SeedBenchReport {
        schema: "bench-seed/1",
        tenants: u64::from(bench.tenants),
        candidates: [(SeedCandidate::RoundTrips, round_trips)].into_iter().chain(jobs).map(line).collect(),
        memory,
        same_result: left.iter().all(|settings| *settings == left[0] && settings.tenants == i64::from(bench.tenants)),
        server,
        build: build(),
        cores: cores(),
    })
}

/// A CSV file with this number of tenants.
fn list(path: &Path, tenants: u32) -> Result<CheckedList> {
    let lines: String = (1..=tenants).map(|n| format!("tenant-{n},\"Tenant {n}, Inc.\"\n")).collect();
    std::fs::write(path, format!("tenant,organization_name\n{lines}"))?;
    Ok(CheckedList::check(path)?)
}

/// What the settings of all tenants say, as a sum, and how many tenants have both rows.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    checksum: i128,
    tenants: i64,
}

async fn settings(databases: &Databases) -> Result<Settings> {
    let mut session = DirectConnection::as_application(&databases.copy_url(Role::Superuser), "bench").await?;
    let row = sqlx::query(include_str!("../../../../sql/bench/settings_checksum.sql"))
        .fetch_one(session.connection())
        .await
        .map_err(query("comparing the results"))?;
    session.close().await;
    let checksum: String = row.get("checksum");
    Ok(Settings { checksum: checksum.parse().expect("a sum of 64-bit numbers"), tenants: row.get("tenants") })
}
