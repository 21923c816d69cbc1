//! The limits of the throttle, and the reasons for their defaults.

use std::time::Duration;

/// Limits above which a backfill slows down or waits.
#[derive(Debug, Clone, PartialEq)]
pub struct ThrottleLimits {
    /// Do not read the load and do not throttle, for a database that nobody else uses.
    pub full_speed: bool,
    /// The most rows per second, over all workers of this process.
    pub max_rate: Option<u64>,
    /// The share of time in which workers may be busy, above 0 and at most 1. They rest after each batch.
    pub nice: Option<f64>,
    /// No batch runs while a standby is further behind than this. With 10 s people still take a standby for current,
    /// and a batch of 250 ms does not cause such a lag by itself.
    pub max_lag: Duration,
    /// The same limit in bytes of WAL, for slots and for standbys without a time: about 5 s of writes at full speed.
    pub max_lag_bytes: u64,
    /// The most bytes of WAL per second that the server writes, for us and others. 64 MiB are four segments, with which
    /// an archiver keeps up that sends one after the other.
    pub max_wal_rate: u64,
    /// The other active sessions, on average over some seconds, up to which all workers run; above it one worker runs.
    /// The default is 0: the p99 of an application's load rose from 2.9 ms to 4.5 ms beside one worker, and to 11.7 ms
    /// beside two.
    pub max_active: u32,
    /// How long the run waits for work on the table, such as a vacuum. After this it goes on with one worker, as a
    /// vacuum may take hours.
    pub work_wait: Duration,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            full_speed: false,
            max_rate: None,
            nice: None,
            max_lag: Duration::from_secs(10),
            max_lag_bytes: 256 << 20,
            max_wal_rate: 64 << 20,
            max_active: 0,
            work_wait: Duration::from_secs(120),
        }
    }
}

impl ThrottleLimits {
    /// The time of a batch and the rest after it, as a multiple of the batch alone; at least 1.
    pub(crate) fn delay_factor(&self) -> f64 {
        self.nice.filter(|share| *share > 0.0 && *share <= 1.0).map_or(1.0, |share| 1.0 / share)
    }
}
