//! How a backfill is to run.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::throttle::limits::ThrottleLimits;

/// How long what reads the catalog waits for a lock. It takes none that anybody holds for long.
pub(crate) const CATALOG_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// So many passes, each of which found rows, and still there are more: somebody keeps writing them.
pub(crate) const MOST_PASSES: i32 = 8;

/// What to do with a row whose sources name several tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Leave it and report it.
    #[default]
    Report,
    /// Where no evidence decides either, take the best source that names one tenant alone; the run and its journal say so.
    First,
}

impl OnConflict {
    /// As `tenant_ops.run` and the command line spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::First => "first",
        }
    }
}

/// Options of one run.
#[derive(Debug, Clone)]
pub struct BackfillOptions {
    /// Do all but the commit.
    pub dry_run: bool,
    /// How long a batch should take; batches grow and shrink towards it.
    pub batch_time: Duration,
    /// How many batches run at once. A dry run and a run with a limit do one after the other.
    pub workers: u32,
    /// Where the rows that people must decide are written, as CSV.
    pub review: Option<PathBuf>,
    /// What to do where sources disagree.
    pub on_conflict: OnConflict,
    /// Stop after this many rows were assigned.
    pub limit: Option<u64>,
    /// How gentle it is with others on the server.
    pub gentleness: ThrottleLimits,
    /// Help where another process is at this run already.
    pub join: bool,
}

impl BackfillOptions {
    /// How many batches run at once: a limit is counted down from batch to batch, and the books of a dry run lock each other out.
    pub(crate) fn at_once(&self) -> u32 {
        if self.dry_run || self.limit.is_some() { 1 } else { self.workers.max(1) }
    }
}

impl Default for BackfillOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            batch_time: Duration::from_millis(250),
            workers: 2,
            review: None,
            on_conflict: OnConflict::Report,
            limit: None,
            join: false,
            gentleness: ThrottleLimits::default(),
        }
    }
}
