//! How a backfill stays gentle: what the server says of its load, what is to be made of it, and what holds the workers back.

mod advice;
mod gentleness;
mod latch;
mod pacer;
mod reading;
mod signal;
mod throttle;
mod totals;

#[cfg(test)]
mod tests;

pub use advice::{Advice, Judge, Reason};
pub use gentleness::Gentleness;
pub use pacer::Pacer;
pub use reading::{Follower, Gauge, Reading, Work};
pub use signal::{Signal, Unreadable};
pub use throttle::Throttle;
pub use totals::{HeldBack, Pressure};
