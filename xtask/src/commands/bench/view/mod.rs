//! The reports of the benchmarks.

mod backfill;
mod figures;
#[cfg(feature = "jwt")]
mod jwt;
mod leaks;
mod rls;
mod rls_tables;
mod scale;
mod seed;
