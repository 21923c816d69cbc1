//! `bench`: measures how fast the jobs are, on fresh copies of the same data.

#[cfg(feature = "jwt")]
mod jwt;
mod leaks;
mod view;

use std::future::Future;

use bench::{BackfillBench, RlsBench, ScaleBench, SeedBench};
use clap::{Args, Subcommand};
use local_db::{Role, StartOptions};
use tenancy_config::{DatabaseUrl, Exit};

use crate::context::failure::CommandFailure;
use crate::context::server_options::ServerOptions;
use crate::context::{CommandResult, Context, stop};

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
  cargo xtask bench rls --rows 1000000
  cargo xtask bench leaks{jwt}"
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
  cargo xtask bench rls --tables 300          how long does each command take?
  cargo xtask bench rls --format json --output bench.json")]
    Rls(Rls),
    /// Leaks that are planted one at a time, and whether `rls verify` finds and names them
    #[command(after_help = "Examples:
  cargo xtask bench leaks
  cargo xtask bench leaks --only views --pg-version 17
  cargo xtask bench leaks --only truncate --format json

It starts a server of its own, as the cases change roles, and removes it. It ends with 3 if a leak is missed or a
database is doubted in which nothing is wrong.")]
    Leaks(leaks::Leaks),
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
    /// Measure the commands over so many small tables instead: status, plan, rollout, verify and rollback
    #[arg(long, value_name = "N", conflicts_with = "rows", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    tables: Option<u32>,
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

/// Measures. Benchmarks that need a server use the local one, in databases of their own.
///
/// # Errors
/// The benchmark failed.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    context.refuse_a_url("bench")?;
    let mut notes = context.notes();
    let agree = match options.command {
        #[cfg(feature = "jwt")]
        Command::Jwt(jwt) => return jwt::run(context, jwt.runs),
        Command::Leaks(leaks) => return leaks::run(context, leaks, options.server).await,
        Command::Backfill(backfill) if backfill.scale => {
            let superuser = superuser(context, options.server).await?;
            let report = measured(&superuser, bench::scale(&superuser, &backfill.scale(), &mut notes)).await?;
            context.report(&report)?;
            true
        }
        Command::Backfill(backfill) => {
            let superuser = superuser(context, options.server).await?;
            let report = measured(&superuser, bench::backfill(&superuser, &backfill.bench(), &mut notes)).await?;
            context.report(&report)?;
            report.candidates_agree()
        }
        Command::Seed(seed) => {
            let superuser = superuser(context, options.server).await?;
            let bench = SeedBench { tenants: seed.tenants, ..SeedBench::default() };
            let report = measured(&superuser, bench::seed(&superuser, &bench, &mut notes)).await?;
            context.report(&report)?;
            report.same_result
        }
        Command::Rls(Rls { tables: Some(tables), .. }) => {
            let superuser = superuser(context, options.server).await?;
            let report = measured(&superuser, bench::rls_tables(&superuser, tables, &mut notes)).await?;
            context.report(&report)?;
            report.complete
        }
        Command::Rls(rls) => {
            let superuser = superuser(context, options.server).await?;
            let bench = RlsBench { rows: rls.rows, ..RlsBench::default() };
            let report = measured(&superuser, bench::rls(&superuser, &bench, &mut notes)).await?;
            context.report(&report)?;
            report.is_unharmed()
        }
    };
    Ok((!agree).then_some(Exit::Failed))
}

/// Starts the local server, and returns the URL of its superuser.
async fn superuser(context: &Context, server: ServerOptions) -> Result<DatabaseUrl, CommandFailure> {
    let running = context.local(server.into())?.up(&mut context.notes(), StartOptions::default()).await?;
    Ok(running.url(Role::Superuser)?)
}

/// Runs a benchmark to its end, or to Ctrl-C.
async fn measured<R>(
    superuser: &DatabaseUrl,
    benchmark: impl Future<Output = bench::Result<R>>,
) -> Result<R, CommandFailure> {
    let measured = stop::at_once(async { Ok(benchmark.await?) }).await;
    if measured.is_err() {
        // A benchmark that was dropped could not remove its databases. Its own error matters more than one of the removal.
        let _ = bench::remove(superuser).await;
    }
    measured
}
