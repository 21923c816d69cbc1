//! The book-keeping on a real server.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod clock;
mod first_runs;
mod layout;
mod rights;
mod support;
mod trust;
