//! What a test gets when it asks for a database, and what is left when the test ends.
#![allow(clippy::unwrap_used)] // also in helper functions of tests

mod databases;
mod guardian;
mod waiting;
