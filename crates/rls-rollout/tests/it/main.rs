//! The rollout on a real server, and back.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod story;
mod support;
mod versions;
