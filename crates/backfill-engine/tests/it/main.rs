//! The engine against a real PostgreSQL, as the roles that it runs as.
#![allow(clippy::unwrap_used)] // a test may panic

mod all_tables;
mod application_code;
mod apply;
mod apply_refusals;
mod claims;
mod cleanup;
mod faults;
mod map;
mod memberships;
mod model;
mod odd_databases;
mod operators;
mod other_type;
mod partitions;
mod planted;
mod pooled;
mod preflight;
mod registry_source;
mod rest;
mod reviewed;
mod row_security;
mod several;
mod side_effects;
mod suggest;
mod support;
mod throttle;
mod tie_breakers;
mod types;
mod undo;
