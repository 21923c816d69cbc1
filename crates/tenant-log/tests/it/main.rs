//! Logs as they are written, against what a reader would count by hand.
#![allow(clippy::unwrap_used)] // also in helper functions of tests

mod forms;
mod gate;
mod hostile;
mod model;
mod support;
