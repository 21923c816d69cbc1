//! `bench`: how fast the jobs are, on fresh copies of the same data.

use clap::{Args, Subcommand};

use crate::app::{App, Outcome};

/// Measure a job against simpler ways to do the same
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask bench backfill --rows 200000")]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The backfill of bookings, beside one big UPDATE and row by row
    #[command(
        after_help = "Examples:\n  cargo xtask bench backfill --rows 200000\n  cargo xtask bench backfill --format json --output bench.json"
    )]
    Backfill(Backfill),
}

#[derive(Debug, Args)]
struct Backfill {
    /// Number of bookings
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..))]
    rows: u32,
}

pub(crate) async fn run(_app: &App, _options: Options) -> Outcome {
    Ok(None)
}
