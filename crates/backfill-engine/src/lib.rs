//! Gives the rows of a table their tenant, from rows that they point to.
//!
//! The engine reads all sources of a row. One tenant among them is written; several are a conflict unless evidence decides
//! between them, and none is unresolved; both are reported, never guessed. It works in physical order, in short transactions that each hold
//! data, journal and checkpoint; what it cannot see it does not count, but stops.

mod aftermath;
mod apply;
mod batch;
mod books;
mod closing;
mod comparison;
mod context;
mod control;
mod engine;
mod error;
mod finding;
mod format;
mod fragments;
mod key;
mod lanes;
mod options;
mod order;
mod parts;
mod passes;
mod plan;
mod preflight;
pub mod pressure;
mod progress;
mod report;
mod review;
mod row_count;
mod source;
mod statements;
mod steady;
mod suggest;
mod survey;
mod tally;
mod tid;
mod undo;
mod worker;

pub use aftermath::{Cleanup, Vacuum};
pub use apply::{Apply, ApplyReport, Refusal, RefusalKind};
pub use comparison::Comparison;
pub use context::Backfill;
pub use control::{RunStatus, change, status};
pub use error::{Error, Result};
pub use finding::{FailedRow, GhostTenant, RefusedTriggers, Trigger};
pub use format::bytes;
pub use options::{BackfillOptions, OnConflict};
pub use order::order;
pub use plan::BackfillPlan;
pub use preflight::{IdleSlot, Preflight, Replication, Space, UncheckedIndex, UniqueViolation, UniqueViolations};
pub use progress::BackfillEvent;
pub use report::{BackfillReport, RunOutcome, SourceCount};
pub use review::file::CheckedReview;
pub use source::{Source, TieBreaker};
pub use suggest::{
    Basis, SourceSuggestion, SuggestReport, TableSuggestion, UnsuitableTable, short_name, sources_from_keys, suggest,
};
pub use tenant_ops::{Assignment, RunProcessRecord, RunRecord, RunState};
pub use undo::{Undo, UndoReport, runs, why};
