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
mod control;
mod engine;
mod error;
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
mod source;
mod statements;
mod steady;
mod suggest;
mod survey;
mod tally;
mod tid;
mod undo;
mod worker;

pub use aftermath::{Aftermath, Vacuum};
pub use apply::{Apply, ApplyReport, Refusal, RefusalKind};
pub use comparison::Comparison;
pub use control::{RunStatus, change, status};
pub use engine::Backfill;
pub use error::{Error, Result};
pub use options::{OnConflict, Options};
pub use order::order;
pub use plan::Plan;
pub use preflight::{
    IdleSlot, Preflight, RefusedTriggers, Replication, Space, Trigger, UncheckedKey, UniqueBreak, UniqueBreaks, bytes,
};
pub use progress::Progress;
pub use report::{BackfillReport, FailedRow, GhostTenant, Outcome, SourceCount};
pub use review::CheckedReview;
pub use source::{Evidence, Source};
pub use suggest::{
    Basis, SourceSuggestion, SuggestReport, TableSuggestion, Unsuitable, short_name, sources_from_keys, suggest,
};
pub use tenant_ops::{Assignment, MemberRecord, RunRecord, RunState};
pub use undo::{Undo, UndoReport, runs, why};
