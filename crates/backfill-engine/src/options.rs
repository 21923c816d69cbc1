//! The options of a backfill, and limits that several files share.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::throttle::limits::ThrottleLimits;

/// The most passes of a run. If each of them found rows, the application keeps writing rows without a tenant.
pub(crate) const MOST_PASSES: i32 = 8;

/// What to do with a row whose sources name several tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Leave the row and report it.
    #[default]
    Report,
    /// If no tie-breaker decides, take the first source that names exactly one tenant. The run and its journal record
    /// this.
    First,
}

impl OnConflict {
    /// The spelling in `tenant_ops.run` and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::First => "first",
        }
    }
}

/// The options of one run.
#[derive(Debug, Clone)]
pub struct BackfillOptions {
    /// Do everything except the commit.
    pub dry_run: bool,
    /// The time that a batch should take. Batches grow and shrink towards it.
    pub batch_time: Duration,
    /// The number of batches that run at once. A dry run and a run with a limit use one worker.
    pub workers: u32,
    /// The CSV file for the rows that people must decide.
    pub review: Option<PathBuf>,
    /// What to do with a row whose sources name several tenants.
    pub on_conflict: OnConflict,
    /// Stop after this many rows were assigned.
    pub limit: Option<u64>,
    /// The limits above which the run slows down or waits for others on the server.
    pub throttle: ThrottleLimits,
    /// Join the run if another process leads it already.
    pub join: bool,
}

impl BackfillOptions {
    /// The number of batches that run at once. Batches with a limit count it down one after the other, and transactions
    /// of a dry run would block each other in the book-keeping.
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
            throttle: ThrottleLimits::default(),
        }
    }
}
