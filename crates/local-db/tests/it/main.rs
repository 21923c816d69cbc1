//! The local server, as developers and tests use it.
#![allow(clippy::unwrap_used)] // also in helper functions of tests

mod cluster;
mod crash;
mod demo;
mod foreign;
mod programs;
mod scratch;
mod state;
