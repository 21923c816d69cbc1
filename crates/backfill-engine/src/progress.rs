//! Events of a running backfill, and where they are sent.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::plan::selection::RowKind;
use serde::{Serialize, Serializer};
use tenancy_config::TableName;

use crate::throttle::advice::SlowReason;
use crate::throttle::signal::HiddenSignal;

/// An event of a running backfill.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum BackfillEvent {
    /// Another process holds the lease on the table. If that process is dead, the lease expires within seconds.
    Waiting {
        /// Who holds it.
        holder: String,
    },
    /// The rows without a tenant were counted.
    Started {
        /// Which rows it is about.
        about: RowKind,
        /// The table.
        table: TableName,
        /// Rows without a tenant.
        rows: u64,
        /// The role that writes.
        role: String,
        /// The run; none for a dry run.
        run: Option<i64>,
        /// An earlier run is continued.
        resumed: bool,
        /// Another process leads the run, and this one helps.
        helping: bool,
    },
    /// The preflight is done.
    LookedAhead {
        /// What it found, one sentence each.
        says: Vec<String>,
    },
    /// A batch was committed, or rolled back in a dry run.
    Batch {
        /// Rows that all processes of the run examined since this one began.
        examined: u64,
        /// Rows that all processes of the run assigned since this one began.
        assigned: u64,
    },
    /// An operator paused the run; this process waits.
    Paused {
        /// Who paused it, if that is known.
        by: Option<String>,
    },
    /// The run goes on after a pause.
    Resumed,
    /// The process that led the run is gone, and this one leads it now.
    Leading,
    /// Another pass over the table begins, for rows that were locked or moved.
    NextPass {
        /// The number of the pass.
        pass: i32,
        /// Rows that can still be assigned.
        assignable: u64,
    },
    /// The connection was lost, and the engine tries again after a wait.
    Reconnecting {
        /// The error.
        error: String,
        /// The wait.
        #[serde(rename = "wait_seconds", serialize_with = "seconds")]
        wait: Duration,
    },
    /// A signal of the server's load cannot be read. One worker goes on, and rests as long as it works.
    Unreadable {
        /// The signal, why it is hidden, and what would make it readable.
        #[serde(flatten)]
        unreadable: HiddenSignal,
    },
    /// The run slows down or waits. The event is sent again when the reasons change.
    Slowed {
        /// The first reason.
        #[serde(flatten)]
        reason: SlowReason,
        /// No batch runs.
        waits: bool,
        /// The number of workers that run otherwise.
        workers: u32,
    },
    /// All workers run again.
    FullSpeedAgain {
        /// How long the run was slowed down.
        #[serde(rename = "held_seconds", serialize_with = "seconds")]
        after: Duration,
    },
    /// A run is being taken back. `Batch` events follow, in which the assigned rows are those that have what they had before.
    Undoing {
        /// The table.
        table: TableName,
        /// The run.
        run: i64,
        /// Rows that are to be taken back.
        rows: u64,
    },
    /// Memberships are being made. `Batch` events follow, in which the assigned rows are those that were made.
    Making {
        /// The table.
        table: TableName,
        /// The run; none for a dry run.
        run: Option<i64>,
    },
    /// A survey counts the rows that are left.
    Surveying,
}

/// Where the workers send their events, one at a time.
pub(crate) type ProgressSink<'a> = Mutex<&'a mut (dyn FnMut(BackfillEvent) + Send)>;

/// Sends an event.
pub(crate) fn send(progress: &ProgressSink<'_>, event: BackfillEvent) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    (**progress)(event);
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
