//! Takes the tables of a live multi-tenant database to FORCE ROW LEVEL SECURITY, and back.
//!
//! | phase | what a table has then |
//! | --- | --- |
//! | [`tenant_inventory::Phase::Prepare`] | policies that also show rows without a tenant; new rows get theirs by default |
//! | [`tenant_inventory::Phase::Tighten`] | a strict policy, and constraints which prove that it hides no row |
//! | [`tenant_inventory::Phase::Enforce`] | the same for the table's owner |
//!
//! Each step is one short transaction with its journal entry, or an index that is built concurrently; it can be stopped between
//! any two, and goes on there. What a step changed is written down as it was, so that it can be taken back.

mod alter;
mod blocker;
mod build;
mod dumpers;
mod error;
mod execute;
mod gate;
mod journal;
mod plan;
mod preflight;
mod prisma;
mod progress;
mod rights;
mod roles;
mod rollback;
mod rollout;
mod seen;
mod snapshot;
mod state;
mod status;
mod step;

pub use blocker::Blocker;
pub use error::{Error, Result};
pub use plan::{PlanReport, PlannedTable, plan};
pub use preflight::{Check, CheckResult};
pub use prisma::{PrismaMigration, SchemaEdit};
pub use progress::RolloutEvent;
pub use rollback::{RestoredTable, RollbackOptions, RollbackReport, rollback};
pub use rollout::{Goal, LockRetry, RolloutOptions, RolloutReport, TableOutcome, rollout};
pub use snapshot::{Snapshot, snapshots};
pub use status::{PolicyStatus, StatusReport, TableStatus, status};
pub use step::{Execution, Lock, Statement, Step};
