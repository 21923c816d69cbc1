//! Seeds as `app_user`, the ordinary login, under strict policies with FORCE ROW LEVEL SECURITY.
#![allow(clippy::unwrap_used)] // a test may panic

mod defaults;
mod interrupted;
mod lists;
mod pooled;
mod support;
mod tenants;
mod whom;
