//! Development sessions: against the real libraries, against what they once wrote, and against a real PostgreSQL.
#![allow(clippy::unwrap_used)] // a test may panic

mod cookie_lines;
mod lookup;
mod properties;
mod reading;
mod real_libraries;
mod session_check;
mod support;
mod vectors;
