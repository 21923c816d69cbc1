//! The rollout on a real server, and back.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod added;
mod adopted;
mod born_closed;
mod claims;
mod counts;
mod edges;
mod foreign_code;
mod forms;
mod grants;
mod indexed;
mod interrupted;
mod jobs;
mod kept;
mod killed;
mod locks;
mod lost;
mod membership;
mod not_measured;
mod odd_tables;
mod own_server;
mod preflight;
mod prisma;
mod sign_in;
mod sign_in_killed;
mod sign_in_left;
mod sign_in_memberships;
mod snapshot;
mod story;
mod support;
mod through;
mod unhandled;
mod versions;
