//! Takes a rollout back: restores each definition that the journal recorded before, or refuses where somebody changed it since.

mod added;
mod partitions;
pub(crate) mod report;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{AspectKind, Definition, Inventory, Member, Phase, read_definitions};
use tenant_ops::{Lease, RecordedStep, Rollout};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};
use tokio::sync::watch;

use crate::born_closed::back::take_back;
use crate::born_closed::{StepsApart, steps_apart};
use crate::declared_login;
use crate::error::{Error, Result};
use crate::journal::change::Change;
use crate::journal::{self, TableChanges};
use crate::options::{LockRetry, RESOURCE};
use crate::plan::step::Statement;
use crate::rollback::partitions::{give_back, prove};
use crate::rollback::report::{RestoredTable, RollbackReport};
use crate::rollback::steps::steps_back;
use crate::run::executor::{Executor, StepPurpose, ddl_is_possible};
use crate::run::progress::RolloutEvent;

/// What to take back.
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// The phase to go back to.
    pub to: Phase,
    /// Only what this rollout did.
    pub rollout: Option<i64>,
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// How a lock is waited for.
    pub lock_retry: LockRetry,
}

impl Default for RollbackOptions {
    /// Everything that rollouts did, of every table.
    fn default() -> Self {
        Self { to: Phase::None, rollout: None, tables: Vec::new(), lock_retry: LockRetry::default() }
    }
}

/// Takes steps back, and stops between two tables once `stop` is true.
///
/// # Errors
/// [`Error::Drifted`] where a definition is no longer what the rollout left, also where somebody changes it meanwhile: nothing of that
/// table is changed then; [`Error::HangsOnColumn`] where something depends on a column that is to be dropped; [`Error::OtherOwner`] where this login may not change one of the tables; [`Error::NothingToUndo`] where the journal has no step to take back; [`Error::Blocked`] where a lock could not be
/// had.
pub async fn rollback(
    database: &Database,
    tenancy: &Tenancy,
    options: &RollbackOptions,
    holder: &str,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<RollbackReport> {
    ddl_is_possible(database)?;
    let StepsToUndo { recorded, last, gone, born_closed, logins } = steps_to_undo(database, tenancy, options).await?;
    if recorded.is_empty() && last.is_empty() && born_closed.is_none() && logins.is_none() {
        let (schema, tables) = ("rls-rollback/1", Vec::new());
        return Ok(RollbackReport {
            schema,
            rollout: None,
            stopped: false,
            tables,
            gone,
            born_closed: None,
            logins: None,
        });
    }
    tenant_ops::install(database, tenancy).await?;
    let mut queued = |holder: &str| progress(RolloutEvent::Queued { holder: holder.to_owned() });
    let lease = Lease::acquire(database, RESOURCE, holder, &mut queued).await?;
    let alive = lease.keep_alive(database);
    // Read again: until the lease was ours, somebody else may have taken steps or taken them back.
    let done = async {
        let StepsToUndo { recorded, last, gone, born_closed, logins } =
            steps_to_undo(database, tenancy, options).await?;
        let rollout = Rollout::open(database, &format!("rollback --to {}", options.to)).await?;
        let executor = Executor::new(database, &lease, rollout, options.lock_retry);
        let restored = async {
            let tables = restore(&executor, tenancy, (&recorded, &last), &stop, progress).await?;
            let born_closed = match &born_closed {
                Some(recorded) if !*stop.borrow() => {
                    Some(take_back(database, tenancy, &lease, rollout, recorded).await?)
                }
                _ => None,
            };
            let logins = match &logins {
                Some(recorded) if !*stop.borrow() => {
                    Some(declared_login::back::take_back(database, &lease, rollout, recorded).await?)
                }
                _ => None,
            };
            Ok::<_, Error>((tables, born_closed, logins))
        };
        let restored = restored.await;
        executor.close().await;
        let mut ended = Ok(());
        if !restored.as_ref().is_err_and(Error::lost_connection) {
            ended = rollout.end(database, restored.is_ok() && !*stop.borrow()).await;
        }
        let restored = restored?;
        // Only this commit is waited for until it is on the disk, and with it the steps: without it they are not certain.
        ended?;
        Ok::<_, Error>((rollout.id, restored, gone))
    };
    let done = done.await;
    drop(alive);
    // Nobody waits for a server that is gone: the lease runs out by itself.
    if !done.as_ref().is_err_and(Error::lost_connection) {
        let _ = lease.release(database).await;
    }
    let (id, (mut tables, born_closed, logins), gone) = done?;
    // Read again: the definitions were restored.
    let inventory = Inventory::load(database, tenancy, None, &[]).await?;
    for table in &mut tables {
        table.phase = inventory.relation(&table.table).map(|relation| inventory.phase(relation));
    }
    let (schema, stopped) = ("rls-rollback/1", *stop.borrow());
    Ok(RollbackReport { schema, rollout: Some(id), stopped, tables, gone, born_closed, logins })
}

/// The steps to take back, by table.
struct StepsToUndo {
    recorded: BTreeMap<TableName, TableChanges>,
    /// Tenant columns that were added, and the keys that came with them. They are taken back after all of the others.
    last: BTreeMap<TableName, TableChanges>,
    gone: Vec<TableName>,
    /// Those of the event trigger that closes new tables.
    born_closed: Option<TableChanges>,
    /// Those of the declared logins, which go after their tables.
    logins: Option<TableChanges>,
}

async fn steps_to_undo(database: &Database, tenancy: &Tenancy, options: &RollbackOptions) -> Result<StepsToUndo> {
    let StepsApart { tables: steps, born_closed: of_trigger, logins: of_login } =
        steps_apart(database, tenancy).await?;
    let mut tables = Vec::new();
    for name in &options.tables {
        tables.push(TableName::parse(name, &tenancy.database.schema)?);
    }
    if let Some(number) = options.rollout
        && !steps.iter().chain(&of_trigger).chain(&of_login).any(|step| step.rollout == number)
    {
        return Err(Error::NothingToUndo { rollout: number });
    }
    let is_wanted = |step: &&RecordedStep<Change>| {
        options.rollout.is_none_or(|number| step.rollout == number)
            && journal::phase(step) > options.to
            && (tables.is_empty() || tables.contains(&step.table))
    };
    let mut recorded = journal::add_up(steps.iter().filter(is_wanted).filter(|step| !added::is_last(step)));
    let mut last = journal::add_up(steps.iter().filter(is_wanted).filter(|step| added::is_last(step)));
    let gone = gone(database, recorded.keys().chain(last.keys())).await?;
    recorded.retain(|table, _| !gone.contains(table));
    last.retain(|table, _| !gone.contains(table));
    let owned =
        recorded.iter().filter(|(_, recorded)| recorded.changes.iter().any(|c| c.aspect.kind != AspectKind::Grant));
    refuse_other_owners(database, owned.map(|(table, _)| table).chain(last.keys())).await?;
    let born_closed = journal::add_up(of_trigger.iter().filter(is_wanted)).into_values().next();
    // What a rollout took again is not there to be taken back.
    let mut logins = journal::add_up(of_login.iter().filter(is_wanted)).into_values();
    let logins = logins.find(|recorded| !recorded.changes.is_empty());
    Ok(StepsToUndo { recorded, last, gone, born_closed, logins })
}

async fn gone(database: &Database, tables: impl Iterator<Item = &TableName>) -> Result<Vec<TableName>> {
    let (schemas, names) = TableName::apart(tables);
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../../sql/rls-rollout/gone.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("looking for the tables of the journal"))?;
    tx.rollback().await?;
    let name = |row: &PgRow| {
        Ok(TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?))
    };
    rows.iter().map(name).collect()
}

/// Fails where a table or a partition of one belongs to somebody else, before the first step: a table that is restored without its partitions
/// would be neither as it was nor as the rollout left it.
async fn refuse_other_owners(database: &Database, tables: impl Iterator<Item = &TableName>) -> Result<()> {
    let (schemas, names) = TableName::apart(tables);
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../../sql/rls-rollout/other_owners.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking who owns the tables of the journal"))?;
    tx.rollback().await?;
    let member = |row: &PgRow| {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        Ok(Member { table: TableName::new(Ident::new(schema)?, Ident::new(name)?), owner: row.get("owner") })
    };
    let others = rows.iter().map(member).collect::<Result<Vec<_>>>()?;
    if others.is_empty() { Ok(()) } else { Err(Error::OtherOwner(others)) }
}

async fn restore(
    executor: &Executor<'_>,
    tenancy: &Tenancy,
    (wanted, last): (&BTreeMap<TableName, TableChanges>, &BTreeMap<TableName, TableChanges>),
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Vec<RestoredTable>> {
    // A table that was declared exempt since goes back as well.
    let mut declared = tenancy.clone();
    declared.tables.values_mut().for_each(|rules| rules.exempt = None);
    let inventory = Inventory::load(executor.database, &declared, None, &[]).await?;
    for (table, recorded) in last {
        let column = column_of(&inventory, tenancy, table, recorded)?;
        let now = read(executor.database, table, &column).await?;
        if added::drops_column(recorded, &now) {
            // Keys of other tables that depend on this one go too.
            let ours = wanted.values().chain(last.values());
            added::refuse_hanging(executor.database, table, &column, ours).await?;
        }
    }
    let mut restored: Vec<RestoredTable> = Vec::new();
    let mut unproven: Vec<(TableName, String)> = Vec::new();
    for (table, recorded) in last_first(wanted) {
        if *stop.borrow() {
            return Ok(restored);
        }
        let column = column_of(&inventory, tenancy, table, recorded)?;
        let now = read(executor.database, table, &column).await?;
        let mut steps = steps_back(table, &column, recorded, &now)?;
        if let Some(last) = steps.last_mut() {
            let lock = last.lock;
            let given = give_back(&inventory, table, &column, wanted)?;
            let proofs = unproven.iter().filter(|(partition, _)| partition == table);
            let proofs = proofs.map(|(partition, key)| prove(partition, key)).collect::<Result<Vec<_>>>()?;
            last.statements.extend(given.statements.into_iter().chain(proofs).map(|sql| Statement { sql, lock }));
            unproven.extend(given.unproven);
        }
        for step in &steps {
            executor.run(step, &StepPurpose::TakesBack { recorded, planned: &now }, progress).await?;
        }
        restored.push(RestoredTable::of(table, recorded, None));
    }
    let mut dropped = BTreeSet::new();
    for (table, recorded) in last_first(last) {
        if *stop.borrow() {
            break;
        }
        let column = column_of(&inventory, tenancy, table, recorded)?;
        let now = read(executor.database, table, &column).await?;
        let mut steps = steps_back(table, &column, recorded, &now)?;
        let drops = added::drops_column(recorded, &now);
        if let Some(last) = steps.last_mut().filter(|_| drops) {
            let probe =
                Statement { sql: added::keep_untold(&inventory, &dropped, table, &column, &now)?, lock: last.lock };
            // Under the lock, which the first statement takes.
            last.statements.insert(1, probe);
        }
        for step in &steps {
            executor.run(step, &StepPurpose::TakesBack { recorded, planned: &now }, progress).await?;
        }
        dropped.extend(drops.then(|| table.clone()));
        let dropped_column = drops.then(|| column.to_string());
        match restored.iter_mut().find(|known| known.table == *table) {
            Some(known) => known.add(recorded, dropped_column),
            None => restored.push(RestoredTable::of(table, recorded, dropped_column)),
        }
    }
    Ok(restored)
}

/// The last table first: a partition cannot lose what its parent still has, and the parent came after it; and a key goes before the index on which
/// it rests.
fn last_first(recorded: &BTreeMap<TableName, TableChanges>) -> Vec<(&TableName, &TableChanges)> {
    let mut order: Vec<(&TableName, &TableChanges)> = recorded.iter().collect();
    order.sort_by_key(|(_, recorded)| std::cmp::Reverse(recorded.steps.last()));
    order
}

/// The column whose default, constraints and indexes the journal records: the tenant column of a table, the key of the tenant table.
///
/// # Errors
/// [`Error::Drifted`] where the table has no tenant column any more.
fn column_of(inventory: &Inventory, tenancy: &Tenancy, table: &TableName, recorded: &TableChanges) -> Result<Ident> {
    let of_login = |change: &Change| matches!(change.aspect.kind, AspectKind::Grant | AspectKind::Policy);
    match inventory.relation(table) {
        Some(relation) => Ok(relation.comparison.column.clone()),
        None if *table == inventory.catalog.tenants => Ok(Ident::new(&tenancy.tenant.key)?),
        // A table of a declared login may have none, and what it was given depends on none.
        None if recorded.changes.iter().all(of_login) => Ok(Ident::new(&tenancy.columns[0])?),
        None => Err(Error::Drifted { table: table.clone(), what: "its tenant column".to_owned() }),
    }
}

async fn read(database: &Database, table: &TableName, column: &Ident) -> Result<Definition> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let definition = read_definitions(tx.connection(), &[(table, column.as_str())]).await?.pop();
    tx.rollback().await?;
    Ok(definition.unwrap_or_default())
}
