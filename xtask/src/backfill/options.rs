//! The options that every backfill has.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::duration_arg;

/// How a backfill is to run.
#[derive(Debug, Args)]
pub(crate) struct BackfillOptions {
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
}

impl BackfillOptions {
    /// How many batches run at once.
    pub(crate) fn workers(&self) -> u32 {
        self.workers
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum OnConflict {
    #[default]
    Report,
    First,
}

impl From<BackfillOptions> for backfill_engine::Options {
    fn from(options: BackfillOptions) -> Self {
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
        }
    }
}
