//! Takes away, under the lease, what rollouts made for roles that `tenancy.toml` names no more.

use serde::Serialize;
use tenancy_config::{Ident, Tenancy};
use tenant_inventory::{DeclaredLogin, Phase};
use tenant_ops::NewStep;
use tenant_rls::{Database, OwnerTx, Sql};
use tokio::sync::watch;

use crate::declared_login::back::{Kept, take_away};
use crate::declared_login::left::{LeftLogin, LeftRole, left};
use crate::error::Result;
use crate::journal::change::Change;
use crate::journal::{self, Recorded};
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;
use crate::run::refused::refused;
use crate::state::RolloutState;
use crate::stop::{Stop, said};

/// What a rollout took from a role that `tenancy.toml` names no more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOutcome {
    /// The role.
    pub role: Ident,
    /// It is dropped, as a rollout had made it.
    pub dropped: bool,
    /// Steps that were done.
    pub steps: usize,
    /// Why it still has something.
    #[serde(serialize_with = "said")]
    pub stopped_by: Vec<Stop>,
}

/// Takes it, role by role. A role that something else depends on stays, and is said to.
pub(crate) async fn run(
    executor: &Executor<'_>,
    state: &RolloutState,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Vec<LeftOutcome>> {
    let mut outcomes = Vec::new();
    for login in &state.left {
        let mut outcome =
            LeftOutcome { role: login.role.clone(), dropped: false, steps: 0, stopped_by: altered(login) };
        for step in login.steps()? {
            if *stop.borrow() {
                break;
            }
            match executor.run(&step, &StepPurpose::Forward, progress).await {
                Ok(_) => outcome.steps += 1,
                Err(error) => outcome.stopped_by.push(refused(&step, error)?),
            }
        }
        if !login.changes.is_empty() && outcome.stopped_by.is_empty() && !*stop.borrow() {
            take_login(executor, login, &mut outcome).await?;
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn altered(login: &LeftLogin) -> Vec<Stop> {
    let LeftRole { role, altered, .. } = login.told();
    altered.into_iter().map(|what| Stop::LeftAltered { role: role.to_string(), what }).collect()
}

async fn take_login(executor: &Executor<'_>, login: &LeftLogin, outcome: &mut LeftOutcome) -> Result<()> {
    let mut tx = OwnerTx::begin(executor.database, executor.lock_retry.lock_timeout).await?;
    let taken = match take_away(&mut tx, &login.changes).await? {
        Err(Kept { role, message }) => {
            tx.rollback().await?;
            outcome.stopped_by.push(Stop::LeftKept { role, message });
            return Ok(());
        }
        Ok(taken) => taken,
    };
    let back = |change: &Change| Change { before: change.after.clone(), after: None, aspect: change.aspect.clone() };
    let changes: Vec<Change> = login.changes.iter().map(back).collect();
    let new = NewStep {
        table: &DeclaredLogin::subject(),
        phase: Phase::Prepare.as_str(),
        step: "take from a role what is declared no more",
        statements: taken.statements.iter().map(Sql::as_str).collect(),
        changes: &changes,
    };
    executor.rollout.record(tx.connection(), executor.lease, &new).await?;
    tx.commit().await?;
    outcome.dropped = !taken.dropped.is_empty();
    outcome.steps += 1;
    Ok(())
}

/// What rollouts made for roles that `tenancy.toml` names no more.
///
/// # Errors
/// [`crate::Error::Database`]; [`crate::Error::Ops`] where this login may not read the journal of rollouts.
pub async fn left_roles(database: &Database, tenancy: &Tenancy) -> Result<Vec<LeftRole>> {
    let recorded = Recorded::of(&journal::steps(database, tenancy).await?);
    Ok(left(database, tenancy, &recorded).await?.iter().map(LeftLogin::told).collect())
}
