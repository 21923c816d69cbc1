//! The reports of the benchmarks.

mod backfill;
mod figures;
#[cfg(feature = "jwt")]
mod jwt;
mod rls;
mod scale;
mod seed;
