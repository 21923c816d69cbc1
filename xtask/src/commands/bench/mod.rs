//! `bench`: how fast the jobs are, on fresh copies of the same data.

mod backfill;
#[cfg(feature = "jwt")]
mod jwt;
mod rls;
mod scale;
mod seed;

use std::future::Future;

use bench::{BackfillBench, BenchGoal, RlsBench, ScaleBench, SeedBench, ServerFacts};
use clap::{Args, Subcommand};
use local_db::{Role, StartOptions};
use tenancy_config::{DatabaseUrl, Exit};

use crate::app::{CommandContext, Outcome};
use crate::commands::db::ServerOptions;
use crate::stop;
use crate::text::table;

/// Measure a job against simpler ways to do the same
#[derive(Debug, Args)]
#[command(after_help = examples())]
pub(crate) struct Options {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: Command,
}

fn examples() -> String {
    let jwt = if cfg!(feature = "jwt") { "\n  cargo xtask bench jwt" } else { "" };
    format!(
        "Examples:
  cargo xtask bench backfill --rows 200000
  cargo xtask bench seed --tenants 10000
  cargo xtask bench rls --rows 1000000{jwt}"
    )
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The backfill of bookings, beside one big UPDATE, batches in key order and row by row
    #[command(after_help = "Examples:
  cargo xtask bench backfill --rows 1000000
  cargo xtask bench backfill --rows 50000 --no-load --profile          what bounds it?
  cargo xtask bench backfill --scale --scale-up-to 1000000             does its time grow linearly?
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
    #[cfg(feature = "jwt")]
    /// Minting a session, beside a Node script with next-auth
    #[command(after_help = "Examples:
  cargo xtask bench jwt
  cargo run --profile dist -p xtask -- bench jwt --runs 500          the binary that is carried to CI")]
    Jwt(Jwt),
}

#[cfg(feature = "jwt")]
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
    /// Do not measure what the candidates and the load of an application do to each other
    #[arg(long)]
    no_load: bool,
    /// Tell what the candidates spend their time with: processor, disk, locks, waiting for the client
    #[arg(long)]
    profile: bool,
    /// Measure the backfill alone, at 100,000, 1,000,000 and 10,000,000 bookings
    #[arg(long, conflicts_with_all = ["rows", "no_load"])]
    scale: bool,
    /// The largest of these sizes; 10,000,000 bookings take up to 28 GiB of disk
    #[arg(long, requires = "scale", default_value_t = 10_000_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100_000..))]
    scale_up_to: u32,
}

impl Backfill {
    fn bench(&self) -> BackfillBench {
        let whole =
            BackfillBench { rows: self.rows, tenants: self.tenants, profile: self.profile, ..BackfillBench::default() };
        if self.no_load { BackfillBench { load: None, ..whole } } else { whole }
    }

    fn scale(&self) -> ScaleBench {
        ScaleBench { tenants: self.tenants, profile: self.profile, ..ScaleBench::up_to(self.scale_up_to) }
    }
}

/// Measures; what needs a server on the local one, in databases of its own.
///
/// # Errors
/// The benchmark's.
pub(crate) async fn run(app: &CommandContext, options: Options) -> Outcome {
    app.refuse_a_url("bench")?;
    let mut notes = app.notes();
    let agree = match options.command {
        #[cfg(feature = "jwt")]
        Command::Jwt(jwt) => return jwt::run(app, jwt.runs),
        Command::Backfill(backfill) if backfill.scale => {
            let superuser = superuser(app, options.server).await?;
            let report = measured(&superuser, bench::scale(&superuser, &backfill.scale(), &mut notes)).await?;
            app.report(&report)?;
            true
        }
        Command::Backfill(backfill) => {
            let superuser = superuser(app, options.server).await?;
            let report = measured(&superuser, bench::backfill(&superuser, &backfill.bench(), &mut notes)).await?;
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
async fn superuser(app: &CommandContext, server: ServerOptions) -> anyhow::Result<DatabaseUrl> {
    let running = app.local(server.into())?.up(&mut app.notes(), StartOptions::default()).await?;
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

/// The program, the machine and the server, which every figure depends on.
fn machine(build: &str, cores: usize, server: &ServerFacts) -> String {
    format!(
        "{build} build, {cores} cores for client and server.\n\
         PostgreSQL {}: fsync {}, synchronous_commit {}, full_page_writes {},\n\
         wal_level {}, shared_buffers {}, max_wal_size {}.",
        server.version,
        server.fsync,
        server.synchronous_commit,
        server.full_page_writes,
        server.wal_level,
        server.shared_buffers,
        server.max_wal_size,
    )
}

/// What was to be reached, beside what was.
fn goals(goals: &[BenchGoal]) -> String {
    let figure = |goal: &BenchGoal, figure: f64| match goal.unit {
        "times" => format!("× {figure:.2}"),
        unit => format!("{figure:.0} {unit}"),
    };
    let lines = goals.iter().map(|goal| {
        let outcome = if goal.met { "met".to_owned() } else { format!("missed by × {:.2}", goal.missed_by()) };
        let bound = if goal.at_least { "at least" } else { "at most" };
        vec![
            goal.name.to_owned(),
            format!("{bound} {}", figure(goal, goal.wanted)),
            figure(goal, goal.reached),
            outcome,
        ]
    });
    table(&["goal", ">wanted", ">reached", ""], lines)
}
