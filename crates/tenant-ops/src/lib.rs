//! Book-keeping in the schema `tenant_ops` of the maintained database: who works on what (leases with fencing), which runs
//! there were and how far they came, and which row was given which tenant. It commits together with the data.

mod decisions;
mod error;
mod history;
mod host;
mod install;
mod lane;
mod lease;
mod lease_watch;
mod member;
mod owner;
mod rollout;
mod run;
mod state;
mod trust;

pub use decisions::{DecisionCall, DecisionResult, DecisionRun, decided};
pub use error::{Error, Result};
pub use history::{Assignment, RunRecord, UndoCall, UndoCounts, mark_undone, runs, undo_batch, why};
pub use host::host;
pub use install::{grant, install, install_in};
pub use lane::{BatchCall, BatchCounts, BatchStatement, NewRange, Range};
pub use lease::{HEARTBEAT, Heartbeat, LEASE_TTL, Lease};
pub use lease_watch::LeaseWatch;
pub use member::{RunProcess, RunProcessRecord, members};
pub use rollout::{NewStep, RecordedStep, Rollout, complete_step, standing_steps};
pub use run::{NewRun, Run};
pub use state::{RunProgress, RunState, change_state};
pub use trust::finding::Finding;
