//! Takes the steps back, table by table.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Inventory;
use tokio::sync::watch;

use crate::error::Result;
use crate::journal::TableChanges;
use crate::plan::step::Statement;
use crate::rollback::added;
use crate::rollback::partitions::{give_back, prove};
use crate::rollback::report::RestoredTable;
use crate::rollback::steps::steps_back;
use crate::rollback::table::{column_of, last_first, read};
use crate::rollback::untold::Untold;
use crate::run::executor::{Executor, StepPurpose};
use crate::run::progress::RolloutEvent;

/// Restores every definition, the tenant columns that were added last of all.
pub(super) async fn restore(
    executor: &Executor<'_>,
    tenancy: &Tenancy,
    inventory: &Inventory,
    (wanted, last): (&BTreeMap<TableName, TableChanges>, &BTreeMap<TableName, TableChanges>),
    stop: &watch::Receiver<bool>,
    progress: &mut (dyn FnMut(RolloutEvent) + Send),
) -> Result<Vec<RestoredTable>> {
    let mut restored: Vec<RestoredTable> = Vec::new();
    let mut unproven: Vec<(TableName, String)> = Vec::new();
    for (table, recorded) in last_first(wanted) {
        if *stop.borrow() {
            return Ok(restored);
        }
        let column = column_of(inventory, tenancy, table, recorded)?;
        let now = read(executor.database, table, &column).await?;
        let mut steps = steps_back(table, &column, recorded, &now)?;
        if let Some(last) = steps.last_mut() {
            let lock = last.lock;
            let given = give_back(inventory, table, &column, wanted)?;
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
        let column = column_of(inventory, tenancy, table, recorded)?;
        let now = read(executor.database, table, &column).await?;
        let mut steps = steps_back(table, &column, recorded, &now)?;
        let drops = added::drops_column(recorded, &now);
        if let Some(last) = steps.last_mut().filter(|_| drops) {
            let probe =
                Statement { sql: Untold::of(inventory, &dropped, table, &column, &now)?.refuse()?, lock: last.lock };
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
