//! Book-keeping in the schema `tenant_ops` of the maintained database: who works on what (leases with fencing), which runs
//! there were and how far they came, and which row was given which tenant. It commits together with the data.

mod batch;
mod born_closed;
mod decisions;
mod error;
mod history;
mod host;
mod install;
mod lease;
mod lease_watch;
mod made;
mod owner;
mod process;
mod range;
mod resource;
mod rollouts;
mod run;
mod state;
mod trust;
mod undo;

pub use batch::{BatchCall, BatchCounts, BatchStatement};
pub use born_closed::{
    born_closed_statements, disable_born_closed, drop_born_closed, make_born_closed, verify_born_closed,
};
pub use decisions::{DecisionCall, DecisionResult, DecisionRun, decided};
pub use error::{Error, Result};
pub use history::{Assignment, RunRecord, UndoProgress, runs, why};
pub use host::host;
pub use install::{grant, install, install_in};
pub use lease::{HEARTBEAT, Heartbeat, LEASE_TTL, Lease};
pub use lease_watch::LeaseWatch;
pub use made::{MEMBERSHIPS_JOB, MadeRows, MakingRun, made_rows};
pub use process::{RunProcess, RunProcessRecord, processes};
pub use range::{NewRange, Range};
pub use resource::{backfill_resource, backfilled_table};
pub use rollouts::{NewStep, RecordedStep, Rollout, standing_steps};
pub use run::{NewRun, Run};
pub use state::{RunProgress, RunState, change_state};
pub use trust::finding::TrustFinding;
pub use undo::{
    UndoCall, UndoCounts, UndoStatement, before_not_held, had_none, mark_undone, rows_to_take_back, undo_batch,
};
