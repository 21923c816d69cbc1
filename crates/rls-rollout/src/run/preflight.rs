//! What is checked before the first step: what would surely fail, and what will be in the way.

use std::collections::BTreeSet;

use sqlx::Row;
use tenancy_config::{CommandRef, TableName};
use tenant_inventory::class::Class;
use tenant_inventory::{AspectKind, Inventory, Phase, Relation, RelationKind};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql};

use crate::blocker::holders;
use crate::error::{Error, Result};
use crate::options::Goal;
use crate::plan::grants;
use crate::plan::membership;
use crate::plan::notice::{Notice, application_owns};
use crate::plan::sees_less::sees_less;
use crate::run::check::{Check, CheckResult};
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
    checks.push(rights(database, state, goal).await?);
    checks.extend(heirs(&state.inventory));
    if goal.wants(Phase::Enforce) {
        checks.extend(filtered_from_enforce_on(database, &state.inventory).await?);
    }
    checks.push(locks(database, &state.inventory).await?);
    checks.extend(activity(database).await?);
    let backup = "have one that was restored once; a rollback brings definitions back, never rows";
    checks.push(Check::new("backup", CheckResult::Reminder, backup));
    for check in &checks {
        progress(RolloutEvent::Checked { check: check.clone() });
    }
    let failed = checks.iter().filter(|check| check.verdict == CheckResult::Failed);
    let failed: Vec<&str> = failed.map(|check| check.says.as_str()).collect();
    if !failed.is_empty() {
        return Err(Error::Preflight(failed.join("; ")));
    }
    Ok(checks)
}

/// The version of the server, which is supported: connecting to an older one fails.
fn server(database: &Database) -> Check {
    Check::new("server", CheckResult::Fine, format!("PostgreSQL {}", database.session().server_version))
}

fn role(database: &Database, inventory: &Inventory) -> Check {
    let session = database.session();
    let foreign: Vec<String> = inventory
        .relations
        .iter()
        .filter(|relation| !relation.may_alter)
        .map(|relation| format!("{} belongs to {}", relation.name, relation.owner))
        .collect();
    let fine = format!("{} may alter every table", session.role);
    let what = format!("{} may not alter every table; those that it may not stay as they are", session.role);
    Check::found("role", &foreign, &fine, &what)
}

/// The tables that cannot be protected, each with the reason that status and plan give, and those that are not there.
fn tables(inventory: &Inventory) -> Check {
    let unhandled = inventory.relations.iter().filter_map(|relation| {
        let why = relation.unhandled.as_ref()?;
        Some(format!("{}: {why}", relation.name))
    });
    let mut found: Vec<String> = unhandled.collect();
    let roots: BTreeSet<TableName> =
        inventory.relations.iter().map(|relation| inventory.audited_as(relation)).collect();
    for table in inventory.catalog.classified.iter().filter(|table| !roots.contains(&table.table)) {
        if let Class::Unhandled { why, .. } = &table.class {
            found.push(format!("{}: {why}", table.table));
        }
    }
    if !inventory.catalog.registry.can_be_referenced() {
        found.push(inventory.catalog.registry.to_string());
    }
    Check::found(
        "tables",
        &found,
        "found none that cannot be protected",
        "these stay as they are, and the others go on",
    )
}

/// Who inherits a role of the rollout, and will lose indexes by that.
fn heirs(inventory: &Inventory) -> impl Iterator<Item = Check> {
    let roles = [&inventory.logins.maintenance, &inventory.logins.auditor];
    let found = roles.into_iter().filter_map(|(role, facts)| membership::heirs(role, facts));
    found.map(|notice| Check::new("membership", CheckResult::Warning, notice.to_string()))
}

/// Who sees less once the owner is filtered.
async fn filtered_from_enforce_on(database: &Database, inventory: &Inventory) -> Result<Vec<Check>> {
    let forced = |relation: &Relation| relation.definition.has(AspectKind::Forced);
    if inventory.relations.iter().all(forced) {
        return Ok(Vec::new());
    }
    let less = sees_less(database, inventory).await?.into_iter().map(|way| Notice::SeesLess { way: Box::new(way) });
    let found = application_owns(inventory).into_iter().chain(less);
    Ok(found.map(|notice| Check::new("enforce", CheckResult::Warning, notice.to_string())).collect())
}

async fn rights(database: &Database, state: &RolloutState, goal: Goal) -> Result<Check> {
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
    let mut lacking: Vec<String> = Vec::new();
    let login = &database.session().role;
    for schema in row.get::<Vec<String>, _>("closed_schemas") {
        lacking.push(format!("{login} may not create indexes: it lacks CREATE on the schema {schema}"));
    }
    for name in row.get::<Vec<String>, _>("unreachable_roles") {
        let known = [&state.inventory.logins.maintenance, &state.inventory.logins.auditor]
            .into_iter()
            .find(|(role, _)| role.as_str() == name);
        let statements = match known {
            Some((role, facts)) => grants::statements(database, role, facts)?,
            None => Vec::new(),
        };
        let statements: Vec<&str> = statements.iter().map(Sql::as_str).collect();
        lacking.push(format!(
            "{login} may neither make the role {name} nor let itself act as it; `{}` as a superuser does both, and so do these statements: {}",
            CommandRef::RlsSetup,
            statements.join("; ")
        ));
    }
    let refers = |relation: &Relation| relation.foreign_key.is_none() && relation.unhandled.is_none();
    let references = goal.wants(Phase::Tighten) && state.inventory.catalog.tenant_key_type.is_some();
    if references && !row.get::<bool, _>("may_reference") && state.inventory.relations.iter().any(refers) {
        lacking
            .push(format!("{login} may not reference {}: it lacks REFERENCES on it", state.inventory.catalog.tenants));
    }
    let tenants = &state.inventory.catalog.tenants;
    let grants = grants::tenant_table(database, state).await?;
    if !row.get::<bool, _>("may_grant") && !grants.is_empty() {
        lacking.push(format!(
            "{login} may not let {} read {tenants}: it lacks SELECT WITH GRANT OPTION on its {}",
            roles.join(" and "),
            state.inventory.tenancy.tenant.key
        ));
    }
    Ok(if lacking.is_empty() {
        Check::new("rights", CheckResult::Fine, "roles, indexes and foreign keys can be made")
    } else {
        Check::new("rights", CheckResult::Failed, lacking.join("; "))
    })
}

async fn locks(database: &Database, inventory: &Inventory) -> Result<Check> {
    let tables: Vec<&TableName> = inventory.relations.iter().map(|relation| &relation.name).collect();
    let found = holders(database, &tables, NAMED).await?;
    let found: Vec<String> =
        found.iter().map(|holder| format!("{}: {holder}, holding {}", holder.table, holder.modes)).collect();
    let what = "each step waits for these to end, no longer than its lock timeout at a time";
    Ok(Check::found("locks", &found, "no other session holds one on the tables", what))
}

/// Long transactions, prepared ones, standbys and slots. A check says so where this login may not see something.
async fn activity(database: &Database) -> Result<Vec<Check>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let row = sqlx::query(include_str!("../../../../sql/rls-rollout/preflight_activity.sql"))
        .bind(LONG)
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("asking what runs beside the rollout"))?;
    tx.rollback().await?;
    let mut checks = vec![Check::found(
        "long transactions",
        &row.get::<Vec<String>, _>("long_transactions"),
        "none that this login may see is older than a minute",
        "building an index waits for these to end",
    )];
    let hidden: i64 = row.get("hidden_sessions");
    if hidden > 0 {
        let says = format!(
            "{hidden} sessions of other roles do not show this login how old their transaction is; a member of pg_read_all_stats sees it"
        );
        checks.push(Check::new("long transactions", CheckResult::Unreadable, says));
    }
    let prepared = row.get::<Vec<String>, _>("prepared_transactions");
    let what = "these keep their locks until somebody commits or rolls them back";
    checks.push(Check::found("prepared transactions", &prepared, "none", what));
    checks.push(standbys(&row.get::<Vec<String>, _>("standbys"), row.get("standbys_are_readable")));
    let slots = row.get::<Vec<String>, _>("idle_slots");
    checks.push(Check::found(
        "replication slots",
        &slots,
        "none is without its reader",
        "nobody reads from these, so the log of what is written piles up",
    ));
    Ok(checks)
}

fn standbys(standbys: &[String], readable: bool) -> Check {
    let found = standbys.join("; ");
    match (standbys.is_empty(), readable) {
        (true, _) => Check::new("standbys", CheckResult::Fine, "none is connected"),
        (false, true) => Check::new(
            "standbys",
            CheckResult::Warning,
            format!("an exclusive lock holds readers there up as well, and long ones hold the standby up: {found}"),
        ),
        (false, false) => Check::new(
            "standbys",
            CheckResult::Unreadable,
            format!("how far behind they are, only a member of pg_read_all_stats sees: {found}"),
        ),
    }
}
