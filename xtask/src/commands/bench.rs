//! `bench`: how fast the jobs are, on fresh copies of the same data.

mod jwt;
mod rls;
mod seed;

use std::future::Future;
use std::time::Duration;

use bench::{BackfillBench, BackfillBenchReport, Candidate, CandidateReport, RlsBench, SeedBench, ServerFacts};
use clap::{Args, Subcommand};
use local_db::{Role, Up};
use tenant_rls::{DatabaseUrl, Exit};

use crate::app::{App, Outcome};
use crate::commands::db::Server;
use crate::report::Report;
use crate::stop;
use crate::text::{count, counted, duration, table};

/// Measure a job against simpler ways to do the same
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask bench backfill --rows 200000
  cargo xtask bench seed --tenants 10000
  cargo xtask bench rls --rows 1000000
  cargo xtask bench jwt")]
pub(crate) struct Options {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The backfill of bookings, beside one big UPDATE and row by row
    #[command(after_help = "Examples:
  cargo xtask bench backfill --rows 200000
  cargo xtask bench backfill --format json --output bench.json")]
    Backfill(Backfill),
    /// The defaults of new tenants, beside one round trip a statement; speed and memory
    #[command(after_help = "Examples:
  cargo xtask bench seed --tenants 10000
  cargo xtask bench seed --format json --output bench.json")]
    Seed(Seed),
    /// The rollout of row level security, beside the load of an application and over many tables
    #[command(after_help = "Examples:
  cargo xtask bench rls --rows 1000000
  cargo xtask bench rls --format json --output bench.json")]
    Rls(Rls),
    /// Minting a session, beside a Node script with next-auth
    #[command(after_help = "Examples:
  cargo xtask bench jwt
  cargo run --profile dist -p xtask -- bench jwt --runs 500          the binary that is carried to CI")]
    Jwt(Jwt),
}

#[derive(Debug, Args)]
struct Jwt {
    /// How often each mints
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(10..))]
    runs: u32,
}

#[derive(Debug, Args)]
struct Seed {
    /// Number of tenants
    #[arg(long, default_value_t = SeedBench::default().tenants, value_name = "N", value_parser = clap::value_parser!(u32).range(100..))]
    tenants: u32,
}

#[derive(Debug, Args)]
struct Rls {
    /// Number of bookings
    #[arg(long, default_value_t = RlsBench::default().rows, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..))]
    rows: u32,
}

#[derive(Debug, Args)]
struct Backfill {
    /// Number of bookings
    #[arg(long, default_value_t = BackfillBench::default().rows, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..))]
    rows: u32,
    /// Number of tenants
    #[arg(long, default_value_t = BackfillBench::default().tenants, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    tenants: u32,
}

/// Measures; what needs a server on the local one, in databases of its own.
///
/// # Errors
/// The benchmark's.
pub(crate) async fn run(app: &App, options: Options) -> Outcome {
    app.refuse_a_url("bench")?;
    let mut notes = app.notes();
    let agree = match options.command {
        Command::Jwt(jwt) => return jwt::run(app, jwt.runs),
        Command::Backfill(backfill) => {
            let superuser = superuser(app, options.server).await?;
            let bench = BackfillBench { rows: backfill.rows, tenants: backfill.tenants, ..BackfillBench::default() };
            let report = measured(&superuser, bench::backfill(&superuser, &bench, &mut notes)).await?;
            app.report(&report)?;
            report.candidates_agree()
        }
        Command::Seed(seed) => {
            let superuser = superuser(app, options.server).await?;
            let bench = SeedBench { tenants: seed.tenants, ..SeedBench::default() };
            let report = measured(&superuser, bench::seed(&superuser, &bench, &mut notes)).await?;
            app.report(&report)?;
            report.same_result
        }
        Command::Rls(rls) => {
            let superuser = superuser(app, options.server).await?;
            let bench = RlsBench { rows: rls.rows, ..RlsBench::default() };
            let report = measured(&superuser, bench::rls(&superuser, &bench, &mut notes)).await?;
            app.report(&report)?;
            report.is_unharmed()
        }
    };
    Ok((!agree).then_some(Exit::Failed))
}

/// Brings the local server up.
async fn superuser(app: &App, server: Server) -> anyhow::Result<DatabaseUrl> {
    let running = app.local(server.into()).up(&mut app.notes(), Up::default()).await?;
    Ok(running.url(Role::Superuser)?)
}

/// Runs a benchmark to its end, or to Ctrl-C.
async fn measured<R>(superuser: &DatabaseUrl, benchmark: impl Future<Output = bench::Result<R>>) -> anyhow::Result<R> {
    let measured = stop::at_once(async { Ok(benchmark.await?) }).await;
    if measured.is_err() {
        // Dropped in the middle, it could not tidy up; what it failed with matters more than whether this works.
        let _ = bench::remove(superuser).await;
    }
    measured
}

impl Report for BackfillBenchReport {
    const NAME: &'static str = "bench backfill";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let headings = ["way", ">rows", ">time", ">rows/s", ">row by row", ">one UPDATE"];
        let lines = self.candidates.iter().map(|candidate| {
            let time = Duration::try_from_secs_f64(candidate.seconds).unwrap_or_default();
            vec![
                name(candidate),
                count(candidate.rows),
                duration(time),
                count(candidate.rows_per_second as u64),
                format!("× {:.1}", candidate.times_row_by_row),
                format!("× {:.2}", candidate.times_one_update),
            ]
        });
        format!("{}\n{}\n\n{}", table(&headings, lines), circumstances(self), agreement(self))
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let header = vec!["candidate", "rows", "seconds", "rows_per_second", "times_row_by_row", "times_one_update"];
        let line = |candidate: &CandidateReport| {
            vec![
                name(candidate),
                candidate.rows.to_string(),
                format!("{:.3}", candidate.seconds),
                format!("{:.0}", candidate.rows_per_second),
                format!("{:.2}", candidate.times_row_by_row),
                format!("{:.3}", candidate.times_one_update),
            ]
        };
        Some((header, self.candidates.iter().map(line).collect()))
    }
}

fn name(report: &CandidateReport) -> String {
    match (report.candidate, report.workers) {
        (Candidate::OneUpdate, _) => "one UPDATE".to_owned(),
        (Candidate::RowByRow, _) => "row by row".to_owned(),
        (Candidate::Backfill, Some(workers)) => {
            format!("backfill-bookings, {}", counted(workers.into(), "worker", "workers"))
        }
        (Candidate::Backfill, None) => "backfill-bookings".to_owned(),
    }
}

/// What the figures depend on.
fn circumstances(report: &BackfillBenchReport) -> String {
    format!(
        "{} bookings of {} tenants, {} without one; {}",
        count(report.bookings),
        count(report.tenants),
        count(report.without_tenant),
        machine(report.build, report.cores, &report.server),
    )
}

/// The program, the machine and the server, which every figure depends on.
fn machine(build: &str, cores: usize, server: &ServerFacts) -> String {
    format!(
        "{build} build, {cores} cores for client and server.\n\
         PostgreSQL {}: fsync {}, synchronous_commit {}, full_page_writes {}, wal_level {}, shared_buffers {}.",
        server.version,
        server.fsync,
        server.synchronous_commit,
        server.full_page_writes,
        server.wal_level,
        server.shared_buffers,
    )
}

fn agreement(report: &BackfillBenchReport) -> String {
    if report.candidates_agree() {
        return "All of them gave the same rows the same tenants.\n".to_owned();
    }
    let wrong = [
        (report.same_result, "one UPDATE and the backfill left different tenants"),
        (report.same_slice, "row by row gave its rows other tenants"),
        (report.same_count, "the backfill counted other rows than one UPDATE wrote"),
    ];
    let wrong: Vec<&str> = wrong.into_iter().filter(|(same, _)| !same).map(|(_, what)| what).collect();
    format!("The figures compare nothing: {}.\n", wrong.join("; "))
}
