//! The runs of the candidates: each on a fresh copy, with a watch on its sessions, and its result compared with the others.

use std::time::Duration;

use local_db::Role;
use tenancy_config::DatabaseUrl;
use tenant_rls::DirectConnection;

use crate::backfill::candidates::{self, Booking, Job};
use crate::backfill::report::{BesideLoad, CandidateReport, Figures, Method, Wait};
use crate::databases::Databases;
use crate::error::{Result, query};
use crate::load::{Load, LoadWork, Stage};
use crate::measured::Measured;
use crate::memory::Memory;
use crate::watch::Observed;

/// A candidate and its work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BenchCandidate<'a> {
    OneUpdate,
    KeyOrder,
    Job(Job),
    RowByRow(&'a [Booking]),
}

impl BenchCandidate<'_> {
    pub(crate) fn candidate(self) -> Method {
        match self {
            Self::OneUpdate => Method::OneUpdate,
            Self::KeyOrder => Method::KeyOrder,
            Self::Job(_) => Method::Backfill,
            Self::RowByRow(_) => Method::RowByRow,
        }
    }

    /// Its name in the progress.
    pub(crate) fn name(self) -> String {
        match self {
            Self::OneUpdate => "one UPDATE".to_owned(),
            Self::KeyOrder => "batches in the order of keys".to_owned(),
            Self::RowByRow(_) => "row by row".to_owned(),
            Self::Job(Job { workers, full_speed: true }) => format!("the backfill at full speed, workers: {workers}"),
            Self::Job(Job { workers, .. }) => format!("the backfill, workers: {workers}"),
        }
    }

    fn workers(self) -> Option<u32> {
        if let Self::Job(job) = self { Some(job.workers) } else { None }
    }

    /// Does it, and returns the role that the job wrote as.
    async fn perform(self, owner: &DatabaseUrl) -> Result<(Measured, Option<String>)> {
        match self {
            Self::OneUpdate => Ok((candidates::one_update(owner).await?, None)),
            Self::KeyOrder => Ok((candidates::key_order(owner).await?, None)),
            Self::RowByRow(slice) => Ok((candidates::row_by_row(owner, slice).await?, None)),
            Self::Job(job) => {
                let (measured, report) = candidates::backfill(owner, job).await?;
                Ok((measured, Some(report.role)))
            }
        }
    }
}

/// What one run did, what was observed meanwhile, and the result.
#[derive(Debug, Clone)]
pub(crate) struct MeasuredRun {
    pub(crate) measured: Measured,
    pub(crate) observed: Observed,
    peak_memory_kib: Option<u64>,
    pub(crate) role: Option<String>,
    /// Which booking has which tenant: over all of them, and over both halves of the slice.
    all: String,
    halves: [String; 2],
}

/// Does one run on a fresh copy, with a watch on its sessions.
pub(crate) async fn watched(databases: &mut Databases, candidate: BenchCandidate<'_>) -> Result<MeasuredRun> {
    databases.fresh_copy().await?;
    let owner = databases.copy_url(Role::Owner);
    let watch = databases.watch().await?;
    let memory = Memory::watch();
    let performed = candidate.perform(&owner).await;
    let peak = memory.and_then(|memory| memory.peak(0));
    let observed = watch.end().await?;
    let (measured, role) = performed?;
    let peak_memory_kib = peak.map(|peak| peak.peak_kib);
    Ok(MeasuredRun { measured, observed, peak_memory_kib, role, all: String::new(), halves: Default::default() })
}

/// Does one run on a fresh copy beside the load.
pub(crate) async fn beside(
    databases: &mut Databases,
    candidate: BenchCandidate<'_>,
    work: &LoadWork,
    time: Duration,
    profile: bool,
) -> Result<BesideLoad> {
    databases.fresh_copy().await?;
    let load = Load::begin(&databases.copy_url(Role::AppUser), work).await?;
    tokio::time::sleep(time).await;
    load.enter(Stage::During);
    let performed = candidate.perform(&databases.copy_url(Role::Owner)).await;
    let mut stages = load.end().await?;
    stages.truncate(2);
    if !profile {
        stages.iter_mut().for_each(|stage| stage.by_statement.clear());
    }
    let p99 = |at: usize| stages.get(at).map_or(0.0, |stage| stage.took.p99_ms);
    Ok(BesideLoad {
        candidate: candidate.candidate(),
        workers: candidate.workers(),
        full_speed: matches!(candidate, BenchCandidate::Job(Job { full_speed: true, .. })),
        rows_per_second: performed?.0.per_second(),
        times_p99: p99(1) / p99(0).max(f64::MIN_POSITIVE),
        stages,
    })
}

/// Runs the candidates, one after the other.
pub(crate) struct CandidateRunner<'a> {
    pub(crate) databases: &'a mut Databases,
    pub(crate) halves: (&'a [Booking], &'a [Booking]),
    pub(crate) progress: &'a mut (dyn FnMut(&str) + Send),
}

impl CandidateRunner<'_> {
    /// Does one run, and reads the result.
    pub(crate) async fn run(&mut self, candidate: BenchCandidate<'_>, again: bool) -> Result<MeasuredRun> {
        (self.progress)(&format!("{}{}", candidate.name(), if again { " again" } else { "" }));
        let run = watched(self.databases, candidate).await?;
        let owner = self.databases.copy_url(Role::Owner);
        let halves = [checksum(&owner, Some(self.halves.0)).await?, checksum(&owner, Some(self.halves.1)).await?];
        Ok(MeasuredRun { all: checksum(&owner, None).await?, halves, ..run })
    }
}

/// Which booking has which tenant, as one number, over all bookings or some.
async fn checksum(owner: &DatabaseUrl, slice: Option<&[Booking]>) -> Result<String> {
    let ids: Option<Vec<&str>> = slice.map(|slice| slice.iter().map(|booking| booking.id.as_str()).collect());
    let mut session = DirectConnection::as_application(owner, "bench").await?;
    let sum = sqlx::query_scalar(include_str!("../../../../sql/bench/checksum.sql"))
        .bind(ids)
        .fetch_one(session.connection())
        .await
        .map_err(query("comparing the results"))?;
    session.close().await;
    Ok(sum)
}

/// The runs of every candidate.
#[derive(Debug)]
pub(crate) struct Runs {
    /// One half of the slice each.
    pub(crate) row_by_row: [MeasuredRun; 2],
    /// Before and after the job.
    pub(crate) one_update: [MeasuredRun; 2],
    pub(crate) key_order: MeasuredRun,
    /// By the number of workers.
    pub(crate) jobs: Vec<(u32, MeasuredRun)>,
}

/// Whether the candidates did the same work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agreement {
    pub(crate) result: bool,
    pub(crate) slice: bool,
    pub(crate) count: bool,
}

impl Runs {
    /// Every run over the whole table.
    fn whole(&self) -> impl Iterator<Item = &MeasuredRun> {
        self.one_update.iter().chain([&self.key_order]).chain(self.jobs.iter().map(|(_, run)| run))
    }

    /// The longest time between two samples of any of them, in milliseconds.
    pub(crate) fn longest_gap_ms(&self) -> f64 {
        self.whole().chain(&self.row_by_row).map(|run| run.observed.longest_gap).fold(0.0, f64::max) * 1e3
    }

    pub(crate) fn role(&self) -> Option<&str> {
        self.jobs.iter().find_map(|(_, run)| run.role.as_deref())
    }

    pub(crate) fn agreement(&self) -> Agreement {
        let [one, _] = &self.one_update;
        let [first, second] = &self.row_by_row;
        Agreement {
            result: self.whole().all(|run| run.all == one.all),
            slice: first.halves[0] == one.halves[0] && second.halves[1] == one.halves[1],
            count: self.whole().all(|run| run.measured.done == one.measured.done),
        }
    }

    /// The report of each. There were `without_tenant` rows to write, and those of the slice for row by row.
    pub(crate) fn reports(&self, without_tenant: u64, slice: u64, profile: bool) -> Vec<CandidateReport> {
        let row_by_row = self.row_by_row[0].clone().and(&self.row_by_row[1]);
        // The one that ran when the machine was quicker.
        let [first, second] = &self.one_update;
        let one_update = if first.measured.time <= second.measured.time { first } else { second };
        let line = |candidate, workers, run: &MeasuredRun, examined| CandidateReport {
            candidate,
            workers,
            examined,
            figures: run.figures(profile),
            times_row_by_row: run.measured.per_second() / row_by_row.measured.per_second(),
            times_one_update: run.measured.per_second() / one_update.measured.per_second(),
        };
        let others = [
            line(Method::RowByRow, None, &row_by_row, slice),
            line(Method::KeyOrder, None, &self.key_order, without_tenant),
            line(Method::OneUpdate, None, one_update, without_tenant),
        ];
        let jobs = self.jobs.iter();
        let jobs = jobs.map(|(workers, run)| line(Method::Backfill, Some(*workers), run, without_tenant));
        others.into_iter().chain(jobs).collect()
    }
}

impl MeasuredRun {
    /// Two runs as one.
    fn and(mut self, more: &Self) -> Self {
        self.measured += more.measured;
        self.observed.add(&more.observed);
        self.peak_memory_kib = self.peak_memory_kib.max(more.peak_memory_kib);
        self
    }

    /// What the sessions spent their transactions with.
    fn waits(&self) -> Vec<Wait> {
        let samples = self.observed.samples.max(1) as f64;
        let wait = |(event, times): (&String, &u64)| Wait { event: event.clone(), sessions: *times as f64 / samples };
        let mut waits: Vec<Wait> = self.observed.waits.iter().map(wait).collect();
        waits.sort_by(|a, b| b.sessions.total_cmp(&a.sessions));
        waits
    }

    pub(crate) fn figures(&self, profile: bool) -> Figures {
        let Self { measured, observed, peak_memory_kib, .. } = self;
        Figures {
            rows: measured.done,
            seconds: measured.time.as_secs_f64(),
            rows_per_second: measured.per_second(),
            longest_transaction_ms: observed.longest * 1e3,
            longest_locks_ms: observed.longest_locks * 1e3,
            wal_bytes: observed.wal_bytes,
            peak_memory_kib: *peak_memory_kib,
            waits: if profile { self.waits() } else { Vec::new() },
            autovacuum: observed.autovacuum as f64 / observed.samples.max(1) as f64,
        }
    }
}
