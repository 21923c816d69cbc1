//! The limit of rows per second, over all workers of a process.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much unused time may be saved up.
const BURST: Duration = Duration::from_secs(1);

/// A token bucket that one batch may overdraw: whoever has written waits until the bucket is level again.
#[derive(Debug)]
pub struct RateLimit {
    /// Rows per second; none if there is no limit.
    rate: Option<f64>,
    /// When all rows that were written so far are paid for.
    paid_at: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// A limit of `rate` rows per second.
    pub fn new(rate: Option<u64>) -> Self {
        Self { rate: rate.map(|rows| rows.max(1) as f64), paid_at: Mutex::new(None) }
    }

    /// Pays for the rows of a batch, and waits until they and all earlier ones are paid for.
    pub async fn pay(&self, rows: u64) {
        if let Some(paid_at) = self.charge(rows) {
            tokio::time::sleep_until(paid_at).await;
        }
    }

    fn charge(&self, rows: u64) -> Option<Instant> {
        let price = Duration::try_from_secs_f64(rows as f64 / self.rate?).unwrap_or(Duration::MAX);
        let now = Instant::now();
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the first batch nothing is saved up.
        let saved = paid_at.map_or(now, |at| at.max(now.checked_sub(BURST).unwrap_or(now)));
        let next = saved.checked_add(price).unwrap_or(now + Duration::from_secs(86_400));
        *paid_at = Some(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_workers_together_write_no_more_rows_a_second_than_the_rate() {
        let (rate_limit, started) = (RateLimit::new(Some(1_000)), Instant::now());
        let worker = async || {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                rate_limit.pay(500).await;
            }
        };
        tokio::join!(worker(), worker());
        // Time is tokio's, which only sleeping moves: the first batch's 50 ms are not saved up.
        assert_eq!(started.elapsed().as_millis(), 10_050);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_rest_saves_up_no_more_than_a_second() {
        let rate_limit = RateLimit::new(Some(100));
        rate_limit.pay(100).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let started = Instant::now();
        rate_limit.pay(100).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
        rate_limit.pay(100).await;
        assert_eq!(started.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nobody_waits() {
        let started = Instant::now();
        RateLimit::new(None).pay(u64::MAX).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
