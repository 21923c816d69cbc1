//! What is proposed for real databases.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod schemas;
