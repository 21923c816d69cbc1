//! Waits and retries, for what failed because of others.

use std::time::Duration;

use crate::error::fault_of;
use crate::error::{Error, Result};
use crate::server_error::Fault;

/// Waits that double from `first` to `longest`. Up to half of each is taken off at random.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
    left: u32,
    noise: u64,
}

impl Backoff {
    /// Allows at most `tries` waits.
    pub fn new(first: Duration, longest: Duration, tries: u32) -> Self {
        // This only keeps two operators from waking at the same time; the clock is random enough for that.
        let noise =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |t| t.subsec_nanos()) | 1;
        Self { next: first, longest, left: tries, noise: u64::from(noise) }
    }

    /// The next wait; `None` if it is time to give up.
    pub fn next_wait(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        Some(wait.mul_f64(1.0 - (self.noise % 1000) as f64 / 2000.0))
    }
}

/// Repeats an attempt that fails because of a lock timeout, a deadlock or a serialization failure, with a wait before
/// each repetition.
///
/// # Errors
/// The last error, once `backoff` is used up; or the first error of another kind.
pub async fn retry_locks<T>(backoff: Backoff, attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    retry_on(&[Fault::Contention], backoff, attempt).await
}

/// Repeats an attempt that fails by one of these faults, with a wait before each repetition. After [`Fault::Connection`] it is unknown whether
/// a commit was done, so a repeated attempt must change nothing that the first one has changed already.
///
/// # Errors
/// The last error, once `backoff` is used up; or the first error of another kind.
pub async fn retry_on<T>(
    faults: &[Fault],
    mut backoff: Backoff,
    mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    loop {
        match attempt().await {
            Err(error) if faults.contains(&fault_of(&error)) => match backoff.next_wait() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            },
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_under_the_longest_and_end() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400), 5);
        let waits: Vec<Duration> = std::iter::from_fn(|| backoff.next_wait()).collect();
        assert_eq!(waits.len(), 5);
        for (wait, full) in waits.iter().zip([100, 200, 400, 400, 400]) {
            assert!(wait.as_millis() <= full && wait.as_millis() >= full / 2, "{waits:?}");
        }
    }
}
