//! What is checked before the first step: what would surely fail, and what will be in the way.

use std::collections::BTreeSet;

use sqlx::Row;
use tenancy_config::TableName;
use tenant_inventory::class::Class;
use tenant_inventory::{AspectKind, Inventory, Member, Phase, Relation, RelationKind};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql};

use crate::blocker::holders;
use crate::error::{Error, Result};
use crate::options::Goal;
use crate::plan::grants;
use crate::plan::membership;
use crate::plan::notice::Notice;
use crate::plan::notices::application_owns;
use crate::plan::sees_less::sees_less;
use crate::run::activity::Activity;
use crate::run::check::{Check, CheckResult, Unprotected};
use crate::run::lacking::LackingRight;
use crate::run::progress::RolloutEvent;
use crate::state::RolloutState;

/// The age in seconds from which on a transaction is named: an index that is built concurrently waits for it.
const LONG: f64 = 60.0;

/// How many holders of locks are named.
const NAMED: i64 = 10;

/// Makes every check, and reports each through `progress`.
///
/// # Errors
/// [`Error::Preflight`] where a step would surely fail.
pub(crate) async fn preflight(
    database: &Database,
    state: &RolloutState,
    goal: Goal,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Vec<Check>> {
    let mut checks = vec![server(database), role(database, &state.inventory), tables(&state.inventory)];
    if goal != Goal::Logins {
        checks.push(Check::Rights { lacking: lacking(database, state, goal).await? });
        checks.extend(membership::inherited(&state.inventory).map(Check::Membership));
    }
    if goal.wants(Phase::Enforce) {
        checks.extend(filtered_from_enforce_on(database, &state.inventory).await?);
    }
    checks.push(locks(database, &state.inventory).await?);
    checks.extend(activity(database).await?);
    checks.push(Check::Backup);
    for check in &checks {
        progress(RolloutEvent::Checked { check: check.clone() });
    }
    let failed: Vec<Check> = checks.iter().filter(|check| check.verdict() == CheckResult::Failed).cloned().collect();
    if failed.is_empty() { Ok(checks) } else { Err(Error::Preflight(failed)) }
}

fn server(database: &Database) -> Check {
    Check::Server { server_version: database.session().server_version.clone() }
}

fn role(database: &Database, inventory: &Inventory) -> Check {
    let foreign = inventory.relations.iter().filter(|relation| !relation.may_alter);
    let others =
        foreign.map(|relation| Member { table: relation.name.clone(), owner: relation.owner.clone() }).collect();
    Check::Role { role: database.session().role.clone(), others }
}

/// The tables that cannot be protected, each with the reason that status and plan give, and those that are not there.
fn tables(inventory: &Inventory) -> Check {
    let unhandled = inventory.relations.iter().filter_map(|relation| {
        let why = relation.unhandled.clone()?;
        Some(Unprotected { table: relation.name.clone(), why })
    });
    let mut unprotected: Vec<Unprotected> = unhandled.collect();
    let roots: BTreeSet<TableName> =
        inventory.relations.iter().map(|relation| inventory.audited_as(relation)).collect();
    for table in inventory.catalog.classified.iter().filter(|table| !roots.contains(&table.table)) {
        if let Class::Unhandled { why, .. } = &table.class {
            unprotected.push(Unprotected { table: table.table.clone(), why: why.clone() });
        }
    }
    Check::Tables { unprotected, registry: inventory.catalog.registry }
}

/// Who sees less once the owner is filtered.
async fn filtered_from_enforce_on(database: &Database, inventory: &Inventory) -> Result<Vec<Check>> {
    let forced = |relation: &Relation| relation.definition.has(AspectKind::Forced);
    if inventory.relations.iter().all(forced) {
        return Ok(Vec::new());
    }
    let less = sees_less(database, inventory).await?.into_iter().map(|way| Notice::SeesLess { way: Box::new(way) });
    Ok(application_owns(inventory).into_iter().chain(less).map(Check::Enforce).collect())
}

/// The rights without which a step would surely fail.
async fn lacking(database: &Database, state: &RolloutState, goal: Goal) -> Result<Vec<LackingRight>> {
    let open = |relation: &&Relation| relation.unhandled.is_none();
    let unindexed = state
        .inventory
        .relations
        .iter()
        .filter(open)
        .filter(|relation| !relation.tenant_index && relation.kind != RelationKind::Partitioned);
    let schemas: Vec<&str> = unindexed.map(|relation| relation.name.schema().as_str()).collect();
    let roles = [state.inventory.logins.maintenance.0.as_str(), state.inventory.logins.auditor.0.as_str()];
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let row = sqlx::query(include_str!("../../../../sql/rls-rollout/preflight_rights.sql"))
        .bind(schemas)
        .bind(roles.to_vec())
        .bind(state.inventory.catalog.tenants.schema().as_str())
        .bind(state.inventory.catalog.tenants.name().as_str())
        .bind(&state.inventory.tenancy.tenant.key)
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("asking what this login may do"))?;
    tx.rollback().await?;
    let login = &database.session().role;
    let mut lacking: Vec<LackingRight> = Vec::new();
    for schema in row.get::<Vec<String>, _>("closed_schemas") {
        lacking.push(LackingRight::CreateInSchema { login: login.clone(), schema });
    }
    for role in row.get::<Vec<String>, _>("unreachable_roles") {
        let known = [&state.inventory.logins.maintenance, &state.inventory.logins.auditor]
            .into_iter()
            .find(|(known, _)| known.as_str() == role);
        let statements = match known {
            Some((known, facts)) => grants::statements(database, known, facts)?,
            None => Vec::new(),
        };
        let statements = statements.iter().map(|statement: &Sql| statement.as_str().to_owned()).collect();
        lacking.push(LackingRight::ActAsRole { login: login.clone(), role, statements });
    }
    let table = &state.inventory.catalog.tenants;
    let refers = |relation: &Relation| relation.foreign_key.is_none() && relation.unhandled.is_none();
    let references = goal.wants(Phase::Tighten) && state.inventory.catalog.tenant_key_type.is_some();
    if references && !row.get::<bool, _>("may_reference") && state.inventory.relations.iter().any(refers) {
        lacking.push(LackingRight::ReferenceTenants { login: login.clone(), table: table.clone() });
    }
    let grants = grants::tenant_table(database, state).await?;
    if !row.get::<bool, _>("may_grant") && !grants.is_empty() {
        lacking.push(LackingRight::GrantOnTenants {
            login: login.clone(),
            table: table.clone(),
            key: state.inventory.tenancy.tenant.key.clone(),
            roles: roles.map(str::to_owned).into(),
        });
    }
    Ok(lacking)
}

async fn locks(database: &Database, inventory: &Inventory) -> Result<Check> {
    let tables: Vec<&TableName> = inventory.relations.iter().map(|relation| &relation.name).collect();
    Ok(Check::Locks { holders: holders(database, &tables, NAMED).await? })
}

/// Long transactions, prepared ones, standbys and slots. A check says so where this login may not see something.
async fn activity(database: &Database) -> Result<Vec<Check>> {
    let seen = Activity::read(database, LONG).await?;
    let sessions = seen.hidden_sessions;
    let mut checks = vec![Check::LongTransactions { transactions: seen.long_transactions }];
    checks.extend((sessions > 0).then_some(Check::HiddenTransactions { sessions }));
    checks.push(Check::PreparedTransactions { transactions: seen.prepared_transactions });
    checks.push(Check::Standbys { standbys: seen.standbys, readable: seen.standbys_are_readable });
    checks.push(Check::ReplicationSlots { slots: seen.unread_slots });
    Ok(checks)
}
