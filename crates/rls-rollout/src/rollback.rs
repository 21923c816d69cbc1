//! Taking a rollout back: each definition as the journal has it from before, or a refusal where it is no longer what was left.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tenant_ops::{Lease, RecordedStep, Rollout};
use tenant_rls::{Database, TableName, Tenancy};
use tokio::sync::watch;

use crate::definition::{self, Change, Definition, Kind};
use crate::execute::{Executor, Note};
use crate::journal::{self, Ledger, Standing};
use crate::rollout::{RESOURCE, ddl_is_possible};
use crate::site::Site;
use crate::{Error, How, Lock, Phase, Progress, Result, Statement, Step};

/// What to take back.
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// The phase to go back to.
    pub to: Phase,
    /// Only what this rollout did.
    pub rollout: Option<i64>,
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// How long a statement that others would wait behind waits for its lock.
    pub lock_timeout: Duration,
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
/// [`Error::Drifted`] where a definition is no longer what the journal left behind: nothing of that table is changed then;
/// [`Error::NothingToUndo`]; [`Error::Blocked`].
pub async fn rollback(
    database: &Database,
    tenancy: &Tenancy,
    options: &RollbackOptions,
    holder: &str,
    stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<RollbackReport> {
    ddl_is_possible(database)?;
    let wanted = wanted(database, tenancy, options).await?;
    if wanted.is_empty() {
        return Ok(RollbackReport { schema: "rls-rollback/1", rollout: None, stopped: false, tables: Vec::new() });
    }
    tenant_ops::install(database, tenancy).await?;
    let mut queued = |holder: &str| progress(Progress::Queued { holder: holder.to_owned() });
    let lease = Lease::acquire(database, RESOURCE, holder, &mut queued).await?;
    let alive = lease.keep_alive(database);
    // Read again: until the lease was ours, somebody else may have taken steps or taken them back.
    let done = async {
        let wanted = self::wanted(database, tenancy, options).await?;
        let rollout = Rollout::open(database, &format!("rollback --to {}", options.to)).await?;
        let executor = Executor { database, lease: &lease, rollout, lock_timeout: options.lock_timeout };
        let restored = restore(&executor, tenancy, &wanted, &stop, progress).await;
        let _ = rollout.end(database, restored.is_ok() && !*stop.borrow()).await;
        Ok::<_, Error>((rollout.id, restored?))
    };
    let done = done.await;
    drop(alive);
    let _ = lease.release(database).await;
    let (id, mut tables) = done?;
    let site = Site::load(database, tenancy, None, &[]).await?;
    for table in &mut tables {
        table.phase = site.relation(&table.table).map(|relation| site.phase(relation));
    }
    Ok(RollbackReport { schema: "rls-rollback/1", rollout: Some(id), stopped: *stop.borrow(), tables })
}

/// The steps to take back, by table.
async fn wanted(
    database: &Database,
    tenancy: &Tenancy,
    options: &RollbackOptions,
) -> Result<BTreeMap<TableName, Ledger>> {
    let steps = journal::steps(database).await?;
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
    Ok(journal::add_up(steps.iter().filter(is_wanted)))
}

async fn restore(
    executor: &Executor<'_>,
    tenancy: &Tenancy,
    wanted: &BTreeMap<TableName, Ledger>,
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<RestoredTable>> {
    let site = Site::load(executor.database, tenancy, None, &[]).await?;
    let mut restored = Vec::new();
    // What was done last goes first: a partition keeps its NOT NULL while the table that it belongs to has one.
    let mut wanted: Vec<(&TableName, &Ledger)> = wanted.iter().collect();
    wanted.sort_by_key(|(_, ledger)| std::cmp::Reverse(ledger.steps.last()));
    for (table, ledger) in wanted {
        if *stop.borrow() {
            break;
        }
        let column = column_of(&site, tenancy, table)?;
        let now = read(executor.database, table, &column).await?;
        let steps = steps_back(table, &column, ledger, &now)?;
        for step in &steps {
            executor.run(step, &Note::TakesBack(&ledger.steps), progress).await?;
        }
        restored.push(RestoredTable { table: table.clone(), restored: ledger.changes.len(), phase: None });
    }
    Ok(restored)
}

/// The column whose default, constraints and indexes the journal speaks of: a table's tenant column, the tenant table's key.
fn column_of(site: &Site, tenancy: &Tenancy, table: &TableName) -> Result<tenant_rls::Ident> {
    let column = match site.relation(table) {
        Some(relation) => relation.scope.column.clone(),
        None => tenant_rls::Ident::new(&tenancy.tenant.key)?,
    };
    Ok(column)
}

async fn read(database: &Database, table: &TableName, column: &tenant_rls::Ident) -> Result<Definition> {
    let mut tx = tenant_rls::OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let definition = definition::read(tx.connection(), &[(table, column.as_str())]).await?.pop();
    tx.rollback().await?;
    Ok(definition.unwrap_or_default())
}

/// Definitions and rights in one transaction, then each index by itself.
fn steps_back(table: &TableName, column: &tenant_rls::Ident, ledger: &Ledger, now: &Definition) -> Result<Vec<Step>> {
    let (mut statements, mut indexes) = (Vec::new(), Vec::new());
    for change in &ledger.changes {
        match change.standing(now) {
            Standing::AsBefore => {}
            Standing::Drifted => return Err(drifted(table, change, now)),
            Standing::AsLeft if change.aspect.kind == Kind::Index => indexes.push(change.aspect.name.clone()),
            Standing::AsLeft => {
                let (from, to) = (change.after.as_deref(), change.before.as_deref());
                statements.extend(definition::statements(table, column, &change.aspect, from, to)?);
            }
        }
    }
    let lock = Lock::AccessExclusive;
    let take = tenant_rls::Template::new("LOCK TABLE ONLY :\"table\" IN ACCESS EXCLUSIVE MODE").table("table", table);
    let step = |name, how, statements| Step {
        table: table.clone(),
        column: column.clone(),
        phase: Phase::None,
        name,
        how,
        statements,
        warm_up: None,
    };
    let all = std::iter::once(take.build()).chain(statements).map(|sql| Statement { sql, lock }).collect();
    let mut steps = Vec::new();
    for index in indexes {
        let drop = Statement { sql: definition::drop_index(table, &index)?, lock: Lock::ShareUpdateExclusive };
        steps.push(step("drop the index again", How::Concurrently { index }, vec![drop]));
    }
    // Last, as it marks the steps as taken back: killed before, the next rollback finds the indexes gone and goes on here.
    steps.push(step("restore the definitions from before", How::Transaction, all));
    Ok(steps)
}

fn drifted(table: &TableName, change: &Change, now: &Definition) -> Error {
    let text = |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`"));
    let what = format!(
        "{} (the rollout left {}, there is {})",
        change.subject(),
        text(change.after.as_deref()),
        text(now.get(&change.aspect))
    );
    Error::Drifted { table: table.clone(), what }
}
