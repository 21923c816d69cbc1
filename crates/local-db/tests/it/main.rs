//! The local server as developers and tests meet it.
#![allow(clippy::unwrap_used)] // in helpers of tests, too

mod cluster;
mod crash;
mod foreign;
mod guardian;
mod programs;
mod scratch;
mod seed;
mod state;
mod testing;
