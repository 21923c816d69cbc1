//! What is read before the lease is held: where each table is, and what the preflight finds.

use std::collections::BTreeMap;

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Phase;
use tenant_rls::Database;

use crate::declared_login::run::check_password_files;
use crate::error::{Error, Result};
use crate::options::{Goal, RolloutOptions};
use crate::plan::notice::Notice;
use crate::plan::notices::application_owns;
use crate::run::check::Check;
use crate::run::preflight::preflight;
use crate::run::progress::RolloutEvent;
use crate::state::RolloutState;

/// What was there before the rollout began. It serves the report alone: until the lease is held, somebody else may go further.
pub(crate) struct Before {
    /// How far each table and partition was.
    pub(crate) phases: BTreeMap<TableName, Phase>,
    /// The checks that were made.
    pub(crate) checks: Vec<Check>,
}

/// Reads where each table is, and makes the preflight's checks.
///
/// # Errors
/// [`Error::NoLogins`] where only logins are asked for and none is declared; [`Error::ApplicationOwns`] where nobody agreed to that; [`Error::PasswordFile`] where the password of a login could not be kept; [`Error::Preflight`] where a step would surely fail.
pub(crate) async fn before(
    database: &Database,
    tenancy: &Tenancy,
    options: &RolloutOptions,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Before> {
    let state = RolloutState::for_rollout(database, tenancy, options).await?;
    let inventory = &state.inventory;
    if options.goal == Goal::Logins && inventory.declared_logins.is_empty() && state.left.is_empty() {
        return Err(Error::NoLogins);
    }
    let phases =
        inventory.relations.iter().map(|relation| (relation.name.clone(), inventory.phase(relation))).collect();
    if let Some(notice) = to_be_agreed(&state, options) {
        return Err(Error::ApplicationOwns { notice: Box::new(notice) });
    }
    check_password_files(&state, options)?;
    let checks = preflight(database, &state, options.goal, progress).await?;
    Ok(Before { phases, checks })
}

/// What somebody must agree to before this rollout begins: that policies will filter the application itself, where its role owns tables.
///
/// # Errors
/// [`Error::Database`].
pub async fn question(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<Option<Notice>> {
    Ok(to_be_agreed(&RolloutState::for_rollout(database, tenancy, options).await?, options))
}

fn to_be_agreed(state: &RolloutState, options: &RolloutOptions) -> Option<Notice> {
    let asked = options.goal.wants(Phase::Enforce) && !options.application_owns_tables;
    asked.then(|| application_owns(&state.inventory)).flatten()
}
