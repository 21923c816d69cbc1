//! Retries after a lost connection.

use std::time::Duration;

use tenant_rls::{Backoff, Error as RlsError, Fault, fault_of};

use crate::error::{Error, Result};
use crate::progress::{BackfillEvent, ProgressSink, send};

/// The waits for a lost server: 12, up to 5 s each.
pub(crate) fn reconnect_backoff() -> Backoff {
    Backoff::new(Duration::from_millis(200), Duration::from_secs(5), 12)
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
