//! What a candidate did, and how long that took.

use std::ops::AddAssign;
use std::time::Duration;

/// How many rows or tenants were done, and the time from the first statement to the last answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) done: u64,
    pub(crate) time: Duration,
}

impl Measured {
    /// A clock too coarse for the work must not make the speed infinite, for which JSON has no number.
    pub(crate) fn per_second(self) -> f64 {
        self.done as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

impl AddAssign for Measured {
    fn add_assign(&mut self, more: Self) {
        self.done += more.done;
        self.time += more.time;
    }
}
