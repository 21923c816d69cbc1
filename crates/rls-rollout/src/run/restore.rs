//! Restores FORCE where a rollout lifted it to validate a foreign key.

use tenancy_config::Tenancy;

use crate::error::Result;
use crate::options::RolloutOptions;
use crate::plan::steps::StepBuilder;
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;
use crate::state::RolloutState;

/// Restores FORCE after a rollout: however that ended, no table that was forced is left open. `state` is what is there, where that is known.
/// The answer is what is there then; none where something was restored.
pub(crate) async fn restore(
    executor: &Executor<'_>,
    tenancy: &Tenancy,
    options: &RolloutOptions,
    state: Option<RolloutState>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Option<RolloutState>> {
    let state = match state {
        Some(state) => state,
        // Read again: steps of ours came between.
        None => RolloutState::for_rollout(executor.database, tenancy, options).await?,
    };
    let restored = force_again(executor, options, &state, progress).await?;
    Ok((!restored).then_some(state))
}

/// Restores FORCE where a run lifted it and was killed, stopped or refused before it could. The answer is whether there was such a table.
pub(crate) async fn force_again(
    executor: &Executor<'_>,
    options: &RolloutOptions,
    state: &RolloutState,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<bool> {
    let mut restored = false;
    for relation in state.lifted() {
        let step = StepBuilder { state, relation, style: options.style() }.force_again()?;
        executor.run(&step, &StepPurpose::Forward, progress).await?;
        restored = true;
    }
    Ok(restored)
}
