//! Gives the rows of a table their tenant, from rows that they point to.
//!
//! The engine reads all sources of a row. One tenant among them is written; several are a conflict and none is
//! unresolved, and both are reported, never guessed. It works in physical order, in short transactions that each hold
//! data, journal and checkpoint; what it cannot see it does not count, but stops.

mod batch;
mod engine;
mod error;
mod options;
mod plan;
mod progress;
mod report;
mod review;
mod statements;
mod survey;
mod tid;

pub use engine::Backfill;
pub use error::{Error, Result};
pub use options::{OnConflict, Options};
pub use plan::{Plan, Source};
pub use progress::Progress;
pub use report::{BackfillReport, FailedRow, GhostTenant, Outcome, SourceCount};
