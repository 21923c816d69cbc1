//! Retries after a lost connection.

use std::time::Duration;

use tenant_rls::{Backoff, Error as RlsError, Fault, fault_of};

use crate::error::{Error, Result};
use crate::progress::{BackfillEvent, ProgressSink, send};

/// The waits for a lost server: 12, up to 5 s each.
fn reconnect_backoff() -> Backoff {
    Backoff::new(Duration::from_millis(200), Duration::from_secs(5), 12)
}

/// The waits of one batch.
pub(crate) struct BatchWaits {
    contention: Backoff,
    connection: Backoff,
}

impl BatchWaits {
    pub(crate) fn new() -> Self {
        Self::trying_locks(4)
    }

    /// The same with so many waits for locks, for a batch that cannot be made smaller.
    pub(crate) fn trying_locks(tries: u32) -> Self {
        let contention = Backoff::new(Duration::from_millis(50), Duration::from_secs(1), tries);
        Self { contention, connection: reconnect_backoff() }
    }

    /// The wait before the batch is tried again after this error; none if that is no use, or was tried often enough.
    pub(crate) fn after(&mut self, error: &RlsError) -> Option<Duration> {
        match fault_of(error) {
            Fault::Contention => self.contention.next_wait(),
            Fault::Connection => self.connection.next_wait(),
            _ => None,
        }
    }
}

/// Repeats an attempt that failed because the connection was lost or a lock was not free. The attempt must be safe to
/// repeat.
pub(crate) async fn retry_lost_connection<T>(
    progress: &ProgressSink<'_>,
    mut attempt: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let mut connection = reconnect_backoff();
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let passing = database(&error).filter(|error| matches!(fault_of(error), Fault::Connection | Fault::Contention));
        let Some(wait) = passing.and_then(|_| connection.next_wait()) else { return Err(error) };
        send(progress, BackfillEvent::Reconnecting { error: error.to_string(), wait });
        tokio::time::sleep(wait).await;
    }
}

/// The error of the database behind an error of the engine.
fn database(error: &Error) -> Option<&RlsError> {
    match error {
        Error::Database(error) | Error::Ops(tenant_ops::Error::Database(error)) => Some(error),
        _ => None,
    }
}
