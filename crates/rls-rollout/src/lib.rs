//! Takes the tables of a live multi-tenant database to FORCE ROW LEVEL SECURITY, and back.
//!
//! | phase | what a table has then |
//! | --- | --- |
//! | [`Phase::Prepare`] | policies that also show rows without a tenant; new rows get theirs by default |
//! | [`Phase::Tighten`] | a strict policy, and constraints which prove that it hides no row |
//! | [`Phase::Enforce`] | the same for the table's owner |
//!
//! Each step is one short transaction with its journal entry, or an index that is built concurrently; it can be stopped between
//! any two, and goes on there. What a step changed is written down as it was, so that it can be taken back.

mod blocker;
mod build;
mod definition;
mod dumpers;
mod error;
mod execute;
mod gate;
mod journal;
mod phase;
mod plan;
mod preflight;
mod prisma;
mod progress;
mod roles;
mod rollback;
mod rollout;
mod seen;
mod site;
mod snapshot;
mod status;
mod step;
mod verify;

pub use blocker::Blocker;
pub use definition::{Aspect, AspectKind, Change, Definition};
pub use error::{Error, Result};
pub use phase::Phase;
pub use plan::{PlanReport, PlannedTable, plan};
pub use preflight::{Check, CheckResult};
pub use prisma::{PrismaMigration, SchemaEdit};
pub use progress::RolloutEvent;
pub use rollback::{RestoredTable, RollbackOptions, RollbackReport, rollback};
pub use rollout::{Goal, LockRetry, RolloutOptions, RolloutReport, TableOutcome, rollout};
pub use site::RelationKind;
pub use snapshot::{Snapshot, snapshots};
pub use status::{PolicyStatus, StatusReport, TableStatus, WayAround, status};
pub use step::{Execution, Lock, Statement, Step};
pub use verify::{Attempt, AttemptKind, Evidence, Finding, TableProof, VerifyOptions, VerifyReport, verify};
