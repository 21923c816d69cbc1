//! What is read of a real server's catalog.
#![allow(clippy::unwrap_used)] // a test may panic

mod classes;
mod columns;
mod comparison;
mod support;
mod tables;
