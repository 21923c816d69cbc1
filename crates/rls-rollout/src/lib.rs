//! Takes the tables of a live multi-tenant database to FORCE ROW LEVEL SECURITY, and back.
//!
//! | phase | what a table has then |
//! | --- | --- |
//! | [`Prepare`](tenant_inventory::Phase::Prepare) | policies that also show rows without a tenant; new rows get theirs by default |
//! | [`Tighten`](tenant_inventory::Phase::Tighten) | a strict policy, and constraints which prove that it hides no row |
//! | [`Enforce`](tenant_inventory::Phase::Enforce) | the same for the table's owner |
//!
//! Each step is one short transaction with its journal entry, or an index that is built concurrently; it can be stopped between
//! any two, and goes on there. What a step changed is written down as it was, so that it can be taken back.

mod ahead;
mod blocker;
mod born_closed;
mod declared_login;
mod error;
mod error_text;
mod journal;
mod options;
mod plan;
mod rights;
mod rollback;
mod run;
mod state;
mod status;
mod stop;
mod waiver;

pub use ahead::{Ahead, ahead};
pub use blocker::Blocker;
pub use born_closed::back::BornClosedBack;
pub use born_closed::{BornClosedReport, born_closed};
pub use declared_login::back::LoginsBack;
pub use declared_login::left::LeftRole;
pub use declared_login::left_run::{LeftOutcome, left_roles};
pub use declared_login::report::{LoginFlow, LoginOutcome, LoginStatus, MembershipsFlow, PlannedLeft, PlannedLogin};
pub use error::{Error, Result};
pub use options::{Goal, LockRetry, RolloutOptions};
pub use plan::added::PlannedColumn;
pub use plan::coverage::RolloutCoverage;
pub use plan::foreign_key::{DecidedBy, KeyAction, NewForeignKey};
pub use plan::not_added::NotAdded;
pub use plan::notice::Notice;
pub use plan::prisma::PrismaMigration;
pub use plan::replaced::Replaced;
pub use plan::schema_added::AddedField;
pub use plan::schema_edit::SchemaEdit;
pub use plan::snapshot::{Snapshot, snapshots};
pub use plan::step::{Execution, Lock, Statement, Step};
pub use plan::through::PlannedThrough;
pub use plan::trial::{Trial, TrialTable, trial};
pub use plan::{PlanReport, PlannedTable, plan};
pub use rollback::options::RollbackOptions;
pub use rollback::report::{AlsoTakenBack, RestoredTable, RollbackReport};
pub use rollback::rollback;
pub use run::activity::{LongTransaction, PreparedTransaction, Standby, UnreadSlot};
pub use run::before::question;
pub use run::check::{Check, CheckResult, Unprotected};
pub use run::lacking::LackingRight;
pub use run::progress::RolloutEvent;
pub use run::report::{Filled, RolloutReport, TableOutcome};
pub use run::rollout;
pub use status::{PolicyStatus, StatusReport, TableStatus, status};
pub use stop::{Remedy, Stop, said, sentences};
pub use waiver::Waiver;
