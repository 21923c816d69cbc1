//! What is read of a real server's catalog.
#![allow(clippy::unwrap_used)] // a test may panic

mod classes;
mod columns;
mod comparison;
mod support;
mod tables;
mod ways_cascades;
mod ways_copies;
mod ways_functions;
mod ways_many;
mod ways_names;
mod ways_rights;
mod ways_schemas;
mod ways_server;
mod ways_support;
mod ways_triggers;
mod ways_views;
