//! What a test gets when it asks for a database, and what is left when it ends.
#![allow(clippy::unwrap_used)] // in helpers of tests, too

mod databases;
mod guardian;
mod waiting;
