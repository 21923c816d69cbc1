//! Taking a rollout back: each definition as the journal has it from before, or a refusal where it is no longer what was left.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{AspectKind, Definition, Inventory, Phase, read_definitions};
use tenant_ops::{Lease, RecordedStep, Rollout};
use tenant_rls::{Database, Error as RlsError, OwnerTx};
use tokio::sync::watch;

use crate::execute::{Executor, StepPurpose};
use crate::journal::{self, Change, ChangeState, TableChanges};
use crate::rollout::{LockRetry, RESOURCE, ddl_is_possible};
use crate::state::State;
use crate::{Error, Execution, Lock, Result, RolloutEvent, Statement, Step, alter};

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
    pub patience: LockRetry,
}

/// What was taken back; its JSON is `rls-rollback/1`.
#[derive(Debug, Clone, Serialize)]
pub struct RollbackReport {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The rollback's own number in `tenant_ops.rollout`.
    pub rollout: Option<i64>,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// The tables whose definitions were restored.
    pub tables: Vec<RestoredTable>,
    /// Tables that are no longer there, dropped or renamed: of these nothing was restored, and their steps stand.
    pub gone: Vec<TableName>,
}

/// One table that was restored.
#[derive(Debug, Clone, Serialize)]
pub struct RestoredTable {
    /// The table, or a partition of one.
    pub table: TableName,
    /// Definitions that are again what they were.
    pub restored: usize,
    /// Where the table is now; none where it is no tenant table.
    pub phase: Option<Phase>,
}

/// Takes steps back, or stops between two tables where `stop` turns true.
///
/// # Errors
/// [`Error::Drifted`] where a definition is no longer what the journal left behind, also where somebody changes it meanwhile: nothing of
/// that table is changed then;
/// [`Error::NothingToUndo`]; [`Error::Blocked`].
pub async fn rollback(
    database: &Database,
    tenancy: &Tenancy,
    options: &RollbackOptions,
    holder: &str,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<RollbackReport> {
    ddl_is_possible(database)?;
    let Wanted { ledgers, gone } = wanted(database, tenancy, options).await?;
    if ledgers.is_empty() {
        let (schema, tables) = ("rls-rollback/1", Vec::new());
        return Ok(RollbackReport { schema, rollout: None, stopped: false, tables, gone });
    }
    tenant_ops::install(database, tenancy).await?;
    let mut queued = |holder: &str| progress(RolloutEvent::Queued { holder: holder.to_owned() });
    let lease = Lease::acquire(database, RESOURCE, holder, &mut queued).await?;
    let alive = lease.keep_alive(database);
    // Read again: until the lease was ours, somebody else may have taken steps or taken them back.
    let done = async {
        let Wanted { ledgers, gone } = wanted(database, tenancy, options).await?;
        let rollout = Rollout::open(database, &format!("rollback --to {}", options.to)).await?;
        let executor = Executor { database, lease: &lease, rollout, patience: options.patience };
        let restored = restore(&executor, tenancy, &ledgers, &stop, progress).await;
        if !restored.as_ref().is_err_and(Error::lost_connection) {
            let _ = rollout.end(database, restored.is_ok() && !*stop.borrow()).await;
        }
        Ok::<_, Error>((rollout.id, restored?, gone))
    };
    let done = done.await;
    drop(alive);
    // Nobody waits for a server that is gone: the lease runs out by itself.
    if !done.as_ref().is_err_and(Error::lost_connection) {
        let _ = lease.release(database).await;
    }
    let (id, mut tables, gone) = done?;
    let state = State::load(database, tenancy, None, &[]).await?;
    for table in &mut tables {
        table.phase = state.inventory.relation(&table.table).map(|relation| state.inventory.phase(relation));
    }
    Ok(RollbackReport { schema: "rls-rollback/1", rollout: Some(id), stopped: *stop.borrow(), tables, gone })
}

/// The steps to take back, by table.
struct Wanted {
    ledgers: BTreeMap<TableName, TableChanges>,
    gone: Vec<TableName>,
}

async fn wanted(database: &Database, tenancy: &Tenancy, options: &RollbackOptions) -> Result<Wanted> {
    let steps = journal::steps(database, tenancy).await?;
    let mut tables = Vec::new();
    for name in &options.tables {
        tables.push(TableName::parse(name, &tenancy.database.schema)?);
    }
    if let Some(number) = options.rollout
        && !steps.iter().any(|step| step.rollout == number)
    {
        return Err(Error::NothingToUndo(format!("rollout {number} left no step that could be taken back")));
    }
    let is_wanted = |step: &&RecordedStep<Change>| {
        options.rollout.is_none_or(|number| step.rollout == number)
            && journal::phase(step) > options.to
            && (tables.is_empty() || tables.contains(&step.table))
    };
    let mut ledgers = journal::add_up(steps.iter().filter(is_wanted));
    let gone = gone(database, ledgers.keys()).await?;
    ledgers.retain(|table, _| !gone.contains(table));
    Ok(Wanted { ledgers, gone })
}

async fn gone(database: &Database, tables: impl Iterator<Item = &TableName>) -> Result<Vec<TableName>> {
    let (schemas, names): (Vec<_>, Vec<_>) =
        tables.map(|table| (table.schema().as_str(), table.name().as_str())).unzip();
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let rows = sqlx::query(include_str!("../../../sql/rls/gone.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("looking for the tables of the journal"))?;
    tx.rollback().await?;
    let name =
        |row: &PgRow| Ok(TableName::new(Ident::new(row.get::<String, _>(0))?, Ident::new(row.get::<String, _>(1))?));
    rows.iter().map(name).collect()
}

async fn restore(
    executor: &Executor<'_>,
    tenancy: &Tenancy,
    wanted: &BTreeMap<TableName, TableChanges>,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Vec<RestoredTable>> {
    let state = State::load(executor.database, tenancy, None, &[]).await?;
    let mut restored = Vec::new();
    // The last table first: a partition cannot lose what its parent, which came after it, still has.
    let mut order: Vec<(&TableName, &TableChanges)> = wanted.iter().collect();
    order.sort_by_key(|(_, ledger)| std::cmp::Reverse(ledger.steps.last()));
    for (table, ledger) in order {
        if *stop.borrow() {
            break;
        }
        let column = column_of(&state.inventory, tenancy, table)?;
        let now = read(executor.database, table, &column).await?;
        let steps = steps_back(table, &column, ledger, &now)?;
        for step in &steps {
            executor.run(step, &StepPurpose::TakesBack { ledger, planned: &now }, progress).await?;
        }
        restored.push(RestoredTable { table: table.clone(), restored: ledger.changes.len(), phase: None });
    }
    Ok(restored)
}

/// The column whose default, constraints and indexes the journal speaks of: a table's tenant column, the tenant table's key.
fn column_of(inventory: &Inventory, tenancy: &Tenancy, table: &TableName) -> Result<Ident> {
    let column = match inventory.relation(table) {
        Some(relation) => relation.comparison.column.clone(),
        None => Ident::new(&tenancy.tenant.key)?,
    };
    Ok(column)
}

async fn read(database: &Database, table: &TableName, column: &Ident) -> Result<Definition> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let definition = read_definitions(tx.connection(), &[(table, column.as_str())]).await?.pop();
    tx.rollback().await?;
    Ok(definition.unwrap_or_default())
}

/// Definitions and rights in one transaction, then each index by itself.
fn steps_back(table: &TableName, column: &Ident, ledger: &TableChanges, now: &Definition) -> Result<Vec<Step>> {
    let (mut statements, mut indexes) = (Vec::new(), Vec::new());
    // Rights alone are taken back without a lock on the table.
    let mut lock = Lock::None;
    for change in &ledger.changes {
        match change.standing(now) {
            ChangeState::AsBefore => {}
            ChangeState::Drifted => return Err(change.drifted(table, now)),
            ChangeState::AsLeft if change.aspect.kind == AspectKind::Index => indexes.push(change.aspect.name.clone()),
            ChangeState::AsLeft => {
                let (from, to) = (change.after.as_deref(), change.before.as_deref());
                if change.aspect.kind != AspectKind::Grant {
                    lock = Lock::AccessExclusive;
                }
                statements.extend(alter::statements(table, column, &change.aspect, from, to)?);
            }
        }
    }
    let take = tenant_rls::Template::new("LOCK TABLE ONLY :\"table\" IN ACCESS EXCLUSIVE MODE").table("table", table);
    let step = |name, how, statements| Step {
        table: table.clone(),
        column: column.clone(),
        phase: Phase::None,
        name,
        how,
        statements,
        also_locks: None,
        warm_up: None,
    };
    let take = (lock != Lock::None).then(|| take.build());
    let all = take.into_iter().chain(statements).map(|sql| Statement { sql, lock }).collect();
    let mut steps = Vec::new();
    for index in indexes {
        let drop = Statement { sql: alter::drop_index(table, &index)?, lock: Lock::ShareUpdateExclusive };
        steps.push(step("drop the index again", Execution::Concurrently { index }, vec![drop]));
    }
    // Last, as it marks the steps as taken back: killed before, the next rollback finds the indexes gone and goes on here.
    steps.push(step("restore the definitions from before", Execution::Transaction, all));
    Ok(steps)
}
