//! The audit against a real PostgreSQL: what it counts, and that it never counts less.
#![allow(clippy::unwrap_used)] // a test that unwraps nothing fails as it should

mod counts;
mod honesty;
mod pooled;
mod structure;
mod support;
