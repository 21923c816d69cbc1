//! The engine against a real PostgreSQL, as the roles that it runs as.
#![allow(clippy::unwrap_used)] // a test may panic

mod aftermath;
mod application_code;
mod apply;
mod apply_refusals;
mod evidence;
mod faults;
mod model;
mod odd_databases;
mod operators;
mod partitions;
mod planted;
mod pooled;
mod preflight;
mod pressure;
mod reviewed;
mod row_security;
mod several;
mod suggest;
mod support;
mod undo;
