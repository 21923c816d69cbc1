//! The local server as developers and tests meet it.
#![allow(clippy::unwrap_used)] // in helpers of tests, too

mod cluster;
mod crash;
mod demo;
mod foreign;
mod programs;
mod scratch;
mod state;
