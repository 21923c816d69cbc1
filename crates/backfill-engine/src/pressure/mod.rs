//! How a backfill stays gentle: what the server says of its load, what is to be made of it, and what holds the workers back.

pub(crate) mod advice;
pub(crate) mod gentleness;
pub(crate) mod latch;
pub(crate) mod pacer;
pub(crate) mod reading;
pub(crate) mod signal;
pub(crate) mod throttle;
pub(crate) mod totals;

#[cfg(test)]
mod tests;

pub use advice::{Advice, Advisor, Reason};
pub use gentleness::ThrottleLimits;
pub use pacer::RateLimit;
pub use reading::{LoadSample, LoadSampler, Replica, TableActivity};
pub use signal::{LoadSignal, Unreadable};
pub use throttle::Throttle;
pub use totals::{ThrottleReport, ThrottledTime};
