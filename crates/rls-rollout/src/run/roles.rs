//! Makes the roles as which backfills and audits work under forced policies, before the first table needs them.

use tenancy_config::Ident;
use tenant_rls::{OwnerTx, Sql};

use crate::error::{Error, Result};
use crate::plan::grants;
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;
use crate::state::RolloutState;

/// Makes the roles that are missing, and gives them their rights on schemas and the tenant table. Roles belong to the whole cluster:
/// a rollback leaves them, and their right to use the schemas, in which they read only what they were granted.
/// The answer is whether anything was missing.
pub(crate) async fn prepare(
    executor: &Executor<'_>,
    state: &RolloutState,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<bool> {
    let mut changed = false;
    for (role, facts) in [&state.inventory.logins.maintenance, &state.inventory.logins.auditor] {
        for statement in grants::statements(executor.database, role, facts)? {
            make(executor, role, statement).await?;
            changed = true;
        }
    }
    if !state.inventory.logins.maintenance.1.exists {
        // The book-keeping, which is older than the role, could not give it its rights.
        tenant_ops::grant(executor.database, &state.inventory.tenancy).await?;
    }
    for step in grants::tenant_table(executor.database, state).await? {
        executor.run(&step, &StepPurpose::Forward, progress).await?;
        changed = true;
    }
    Ok(changed)
}

async fn make(executor: &Executor<'_>, role: &Ident, statement: Sql) -> Result<()> {
    let mut tx = OwnerTx::begin(executor.database, executor.lock_retry.lock_timeout).await?;
    let text = statement.as_str().to_owned();
    match tx.run_script(&format!("making the role {role}"), statement).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) if error.sqlstate() == Some("42501") => {
            Err(Error::Role { role: role.to_string(), statement: format!("{text};") })
        }
        Err(error) => Err(error.into()),
    }
}
