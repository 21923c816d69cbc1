//! The attempts on a real server: what is clean is proven, and each way to leak is found and named.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod claims;
mod logins;
mod memberships;
mod sign_in;
mod support;
mod through;
mod verify;
mod ways;
mod writes;
