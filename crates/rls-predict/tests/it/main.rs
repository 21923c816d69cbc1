//! Predictions on a real server, compared with what a rollout does there.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod commands;
mod kept;
mod server;
mod support;
mod tables;
mod truth;
