//! What a write to a table would do besides writing it. Each command that writes the tenant column asks before it writes.

use sqlx::PgConnection;
use tenancy_config::Tenancy;
use tenant_inventory::class::{Class, Unhandled, classify};
use tenant_inventory::read_all_tables;
use tenant_rls::{ActingRole, CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::{Error, Result};
use crate::finding::{Rule, Trigger};
use crate::plan::BackfillPlan;
use crate::preflight::write::Write;
use crate::preflight::{rules, triggers};

/// The triggers and rules of a table that `tenancy.toml` allows, or that do not act.
pub(crate) struct SideEffects {
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) rules: Vec<Rule>,
}

/// Finds those of an update.
///
/// # Errors
/// [`Error::Triggers`], [`Error::UnknownTrigger`], [`Error::Rules`] or [`Error::UnknownRule`], if nothing must be written;
/// [`Error::Database`] if the catalog cannot be read.
pub(crate) async fn find(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    plan: &BackfillPlan,
    role: &ActingRole,
) -> Result<SideEffects> {
    find_of(connection, tenancy, (plan, Write::Update), role).await
}

async fn find_of(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    (plan, write): (&BackfillPlan, Write),
    role: &ActingRole,
) -> Result<SideEffects> {
    let triggers = triggers::find(connection, plan, write).await?;
    triggers::check(&triggers, (plan, write), tenancy, role)?;
    let rules = rules::find(connection, plan, write).await?;
    rules::check(&rules, (plan, write), tenancy)?;
    Ok(SideEffects { triggers, rules })
}

/// Refuses a write that would have side effects that `tenancy.toml` does not allow, or that the table cannot take.
///
/// # Errors
/// Those of [`find`] and [`refuse_unhandled`].
pub(crate) async fn check(
    database: &Database,
    tenancy: &Tenancy,
    (plan, write): (&BackfillPlan, Write),
    role: &ActingRole,
) -> Result<()> {
    refuse_unhandled(database, tenancy, plan).await?;
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    find_of(tx.connection(), tenancy, (plan, write), role).await?;
    Ok(tx.rollback().await?)
}

/// Refuses a table whose rows cannot be written by their place: Citus has a row at the same place in each shard.
///
/// # Errors
/// [`Error::Unhandled`]; [`Error::Database`] if the catalog cannot be read.
pub(crate) async fn refuse_unhandled(database: &Database, tenancy: &Tenancy, plan: &BackfillPlan) -> Result<()> {
    let classes = classify(&read_all_tables(database, tenancy).await?, tenancy)?;
    let class = classes.into_iter().find(|classified| classified.table == plan.table).map(|found| found.class);
    match class {
        Some(Class::Unhandled {
            column,
            why: why @ (Unhandled::Distributed | Unhandled::Foreign | Unhandled::Generated | Unhandled::Identity),
        }) => Err(Error::Unhandled { table: plan.table.clone(), column, why: Box::new(why) }),
        _ => Ok(()),
    }
}
