//! Gives the rows of a table their tenant, which it takes from rows that they point to.
//!
//! The engine reads all sources of a row. If they name one tenant, the row gets that. If they name several, a tie
//! breaker may decide; otherwise the row is a conflict. If they name none, the row is unresolved. Conflicts and
//! unresolved rows are reported and never guessed. The engine works in physical order, in short transactions that each
//! contain rows, journal and checkpoint. It stops if rows could be hidden from it.

mod error;
mod finding;
mod format;
mod fragments;
mod history;
mod map;
mod memberships;
mod not_run;
mod options;
mod plan;
mod preflight;
mod progress;
mod rest;
mod retry;
mod review;
mod run;
mod statements;
mod suggest;
mod survey;
mod tables_report;
pub mod throttle;
mod unseen;
mod unsuitable;
mod without_tenant;

pub use error::{Error, Result};
pub use finding::{AbsentSource, FailedRow, GhostTenant, RefusedRules, RefusedTriggers, Rule, Trigger};
pub use format::bytes;
pub use history::control::{RunStatus, change, status};
pub use history::undo::{Undo, UndoReport};
pub use history::{runs, why};
pub use map::report::{MapReport, TableMap, UnreadTable};
pub use map::{MapPair, holds_strays, pairs_of, stray_values};
pub use memberships::MembershipReport;
pub use memberships::create::CreateMemberships;
pub use memberships::created::CreatedMemberships;
pub use memberships::plan::MembershipPlan;
pub use not_run::{NotRun, TableNotRun, count_not_run};
pub use options::{BackfillOptions, OnConflict};
pub use plan::BackfillPlan;
pub use plan::order::order;
pub use plan::selection::RowKind;
pub use plan::source::{Mapping, Source, TieBreaker};
pub use preflight::{IdleSlot, Preflight, Replication, Space, UncheckedIndex, UniqueViolation, UniqueViolations};
pub use progress::BackfillEvent;
pub use rest::create::NewTenant;
pub use rest::{RestReport, RestRows, RestTenant};
pub use review::apply::{Apply, ApplyReport, Refusal};
pub use review::refusal::{LineFault, RefusalCause, RefusalKind};
pub use review::whole_file::CheckedReview;
pub use run::cleanup::{Cleanup, Vacuum};
pub use run::context::Backfill;
pub use run::report::{BackfillReport, RunOutcome, SourceCount};
pub use suggest::{
    Basis, SourceSuggestion, SourcesBesideKeys, SuggestNote, SuggestReport, TableSuggestion, UnsuitableTable,
    short_name, sources_beside_keys, sources_from_keys, suggest,
};
pub use survey::comparison::SourceComparison;
pub use tables_report::{DrawsOn, FailedTable, TablesReport};
pub use tenant_ops::{Assignment, MEMBERSHIPS_JOB, RunProcessRecord, RunRecord, RunState, UndoProgress};
pub use unsuitable::{MeantRows, TieBreakerDuty, UnequalTypes, Unsuitable};
pub use without_tenant::{CountLimits, RowsWithoutTenant, TimeLimit};
