//! Which tables are further than a phase, and whether a rollback can take them back to it.

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Phase;
use tenant_rls::Database;

use crate::error::Result;
use crate::journal;
use crate::options::RolloutOptions;
use crate::state::RolloutState;

/// The tables and partitions that are further than a phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// A rollout took them there, and a rollback takes them back.
    pub journalled: Vec<TableName>,
    /// The journal does not say how they came there, so that nothing of them can be taken back.
    pub unknown: Vec<TableName>,
}

/// Reads which of the tables that the options name are further than `phase`. A table whose rows without a tenant are meant has no bridge: after
/// `prepare` it is where others are after `tighten`, and that is not too far.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn ahead(database: &Database, tenancy: &Tenancy, options: &RolloutOptions, phase: Phase) -> Result<Ahead> {
    let state = RolloutState::for_rollout(database, tenancy, options).await?;
    let mut ahead = Ahead::default();
    for relation in &state.inventory.relations {
        let now = state.inventory.phase(relation);
        if now <= phase {
            continue;
        }
        let is_later = |step: &&_| journal::phase(step) > phase;
        let mut steps = state.steps.iter().filter(is_later);
        if steps.any(|step| step.table == relation.name) {
            ahead.journalled.push(relation.name.clone());
        } else if !(relation.null_rows_are_meant() && now == Phase::Tighten) {
            ahead.unknown.push(relation.name.clone());
        }
    }
    Ok(ahead)
}
