//! What is proposed for real databases.
#![allow(clippy::unwrap_used)] // a test may panic

mod schemas;
