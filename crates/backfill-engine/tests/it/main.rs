//! The engine against a real PostgreSQL, as the roles that it runs as.
#![allow(clippy::unwrap_used)] // a test may panic

mod evidence;
mod faults;
mod model;
mod odd_databases;
mod operators;
mod planted;
mod pooled;
mod row_security;
mod several;
mod support;
mod undo;
