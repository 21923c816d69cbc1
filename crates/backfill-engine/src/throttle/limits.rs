//! How gentle a backfill is to be, and why by default as it is.

use std::time::Duration;

/// Limits over which a backfill slows down or waits.
#[derive(Debug, Clone, PartialEq)]
pub struct ThrottleLimits {
    /// Ask nothing and hold nobody back: for a database that nobody else uses.
    pub full_speed: bool,
    /// The most rows a second, over all workers of this process.
    pub max_rate: Option<u64>,
    /// The share of time that the workers may be busy, above 0 and at most 1. They rest after each batch.
    pub nice: Option<f64>,
    /// No batch while a standby is further behind than this. 10 s: a standby that answers reads is then still one that
    /// people take for current, and a batch of 250 ms does not reach it by itself.
    pub max_lag: Duration,
    /// The same in bytes, for slots and for standbys that tell no time: what is written in some 5 s at full speed.
    pub max_lag_bytes: u64,
    /// The most bytes of WAL a second that the server writes, ours and others'. 64 MiB are four segments, about what an
    /// archiver that sends one after the other keeps up with.
    pub max_wal_rate: u64,
    /// Other sessions at work, on average over some seconds, up to which all workers run; one runs above it. 0: beside
    /// an application's load, its p99 rose from 2.9 ms to 4.5 with one worker and to 11.7 with two.
    pub max_active: u32,
    /// How long work on the table is waited for, such as a vacuum. It may take hours: after this the run goes on with
    /// one worker.
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
    /// How long a batch and its rest take, as a multiple of the batch alone; at least 1.
    pub(crate) fn delay_factor(&self) -> f64 {
        self.nice.filter(|share| *share > 0.0 && *share <= 1.0).map_or(1.0, |share| 1.0 / share)
    }
}
