//! The options that every backfill has.

use std::path::PathBuf;
use std::time::Duration;

use backfill_engine::throttle::ThrottleLimits;
use clap::{Args, ValueEnum};

use crate::context::duration_arg;

/// How a backfill is to run.
#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    /// Do everything but the commit
    #[arg(long)]
    dry_run: bool,
    /// How long one transaction may take; batches grow and shrink to fit
    #[arg(long, default_value = "250ms", value_parser = duration_arg::parse, value_name = "TIME")]
    batch_time: Duration,
    /// How many batches run at once; a dry run and a run with a limit do one after the other
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    workers: u32,
    /// Write each row that nobody can decide, with its candidates, into this CSV file
    #[arg(long, value_name = "FILE.csv")]
    review: Option<PathBuf>,
    /// What to do where the sources disagree: report the row, or take the first source that names one tenant
    #[arg(long, value_enum, default_value_t, value_name = "report|first", hide_possible_values = true)]
    on_conflict: OnConflict,
    /// Look at no more than this many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Help where another process, on this host or another, is at this run already
    #[arg(long, conflicts_with_all = ["dry_run", "limit"])]
    join: bool,
    #[command(flatten)]
    gentle: GentleOptions,
}

/// How gentle a backfill is with others on the server.
#[derive(Debug, Args)]
struct GentleOptions {
    /// Hold nothing back: for a database that nobody else uses
    #[arg(long, conflicts_with_all = ["max_lag", "max_wal_rate", "max_active"])]
    full_speed: bool,
    /// Write no more than this many rows a second, over all workers
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    max_rate: Option<u64>,
    /// The share of time that the workers may be busy, such as 0.5; they rest after each batch
    #[arg(long, value_name = "SHARE", value_parser = share)]
    nice: Option<f64>,
    /// Wait while a standby is further behind than this [default: 10s]
    #[arg(long, value_parser = duration_arg::parse, value_name = "TIME")]
    max_lag: Option<Duration>,
    /// Slow down while the server writes more WAL than this in a second, in MiB [default: 64]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_wal_rate: Option<u64>,
    /// Go on with one worker while more than this many other sessions are at work [default: 0]
    #[arg(long, value_name = "N")]
    max_active: Option<u32>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "a number above 0 and at most 1, such as 0.5".to_owned())?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err("it must be above 0 and at most 1".to_owned()) }
}

impl From<GentleOptions> for ThrottleLimits {
    fn from(options: GentleOptions) -> Self {
        let usual = Self::default();
        Self {
            full_speed: options.full_speed,
            max_rate: options.max_rate,
            nice: options.nice,
            max_lag: options.max_lag.unwrap_or(usual.max_lag),
            max_wal_rate: options.max_wal_rate.map_or(usual.max_wal_rate, |mib| mib << 20),
            max_active: options.max_active.unwrap_or(usual.max_active),
            ..usual
        }
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum OnConflict {
    #[default]
    Report,
    First,
}

impl From<BackfillArgs> for backfill_engine::BackfillOptions {
    fn from(options: BackfillArgs) -> Self {
        Self {
            dry_run: options.dry_run,
            batch_time: options.batch_time,
            workers: options.workers,
            review: options.review,
            on_conflict: match options.on_conflict {
                OnConflict::Report => backfill_engine::OnConflict::Report,
                OnConflict::First => backfill_engine::OnConflict::First,
            },
            limit: options.limit,
            join: options.join,
            throttle: options.gentle.into(),
        }
    }
}
