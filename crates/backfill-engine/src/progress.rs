//! What the engine tells while it runs; whoever started it draws it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Serialize, Serializer};
use tenancy_config::TableName;

use crate::throttle::advice::Reason;
use crate::throttle::signal::Unreadable;

/// An event of a running backfill.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum BackfillEvent {
    /// Somebody holds the lease on the table; if they are dead, it runs out within seconds.
    Waiting {
        /// Who holds it.
        holder: String,
    },
    /// The rows without a tenant were counted.
    Started {
        /// The table.
        table: TableName,
        /// Rows without a tenant.
        rows: u64,
        /// The role that writes.
        role: String,
        /// The run, unless it is a dry one.
        run: Option<i64>,
        /// An earlier run is taken up again.
        resumed: bool,
        /// Somebody else leads the run; this process helps.
        helping: bool,
    },
    /// What was found before the first row, a sentence each.
    LookedAhead {
        /// The sentences.
        says: Vec<String>,
    },
    /// A batch was committed (in a dry run: rolled back).
    Batch {
        /// Rows that were looked at since this process began, by all processes of the run.
        examined: u64,
        /// Rows that were assigned since this process began, by all processes of the run.
        assigned: u64,
    },
    /// An operator paused the run; this process waits.
    Paused {
        /// Who did, where that is known.
        by: Option<String>,
    },
    /// The run goes on after a pause.
    Resumed,
    /// Whoever led the run is gone; this process leads it from here.
    Leading,
    /// The table is being read through again, for rows that were locked or moved.
    NextPass {
        /// The number of the pass.
        pass: i32,
        /// Rows that can still be assigned.
        assignable: u64,
    },
    /// The connection was lost; it is tried again after this wait.
    Reconnecting {
        /// What happened.
        error: String,
        /// The wait.
        #[serde(rename = "wait_seconds", serialize_with = "seconds")]
        wait: Duration,
    },
    /// A signal of the server's load cannot be read: one worker goes on that rests as long as it works.
    Unreadable {
        /// The signal, what hides it, and what would show it.
        #[serde(flatten)]
        unreadable: Unreadable,
    },
    /// The run goes on slowly, or waits. It is told again where the reasons change.
    Slowed {
        /// The first of the reasons.
        #[serde(flatten)]
        reason: Reason,
        /// No batch runs meanwhile.
        waits: bool,
        /// How many workers go on otherwise.
        workers: u32,
    },
    /// All workers run again.
    FullSpeedAgain {
        /// How long they did not.
        #[serde(rename = "held_seconds", serialize_with = "seconds")]
        after: Duration,
    },
    /// What is left is being counted, by a role that sees every row.
    Surveying,
}

/// Whom the workers tell, one at a time.
pub(crate) type ProgressSink<'a> = Mutex<&'a mut (dyn FnMut(BackfillEvent) + Send)>;

/// Tells an event.
pub(crate) fn send(progress: &ProgressSink<'_>, event: BackfillEvent) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    (**progress)(event);
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
