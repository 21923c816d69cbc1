//! PostgreSQL enforces what the types promise: tests as `app_user`, the ordinary login that row level security filters.
#![allow(clippy::unwrap_used)] // a test may panic

mod each;
mod inserts;
mod pooled;
mod probes;
mod scopes;
mod support;
mod tenants;
