//! What would stop a rollback in the middle, found for all tables before its first step.

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{Aspect, Definition, Inventory};
use tenant_rls::Database;

use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::rollback::added;
use crate::rollback::report::RestoredTable;
use crate::rollback::steps::steps_back;
use crate::rollback::table::{column_of, last_first, read_all};
use crate::rollback::untold::Untold;

/// Makes the steps of every table without running one. The answer is what they would restore.
///
/// # Errors
/// [`Error::NotTakenBack`] with everything that stands against it.
pub(super) async fn check(
    database: &Database,
    tenancy: &Tenancy,
    inventory: &Inventory,
    (wanted, last): (&BTreeMap<TableName, TableChanges>, &BTreeMap<TableName, TableChanges>),
) -> Result<Vec<RestoredTable>> {
    let mut against = Vec::new();
    let mut of_tables: BTreeMap<&TableName, (Ident, Definition)> = BTreeMap::new();
    for (table, recorded) in wanted.iter().chain(last) {
        if let Some(column) = kept(column_of(inventory, tenancy, table, recorded), &mut against)? {
            of_tables.insert(table, (column, Definition::default()));
        }
    }
    read_all(database, &mut of_tables).await?;
    let mut restored: Vec<RestoredTable> = Vec::new();
    for (table, recorded) in last_first(wanted) {
        let Some((column, now)) = of_tables.get(table) else { continue };
        kept(steps_back(table, column, recorded, now), &mut against)?;
        restored.push(RestoredTable::of(table, recorded, None));
    }
    let (mut dropped, mut untold) = (BTreeSet::new(), Vec::new());
    for (table, recorded) in last_first(last) {
        let Some((column, now)) = of_tables.get(table) else { continue };
        let then = after_taking_back(now, wanted.get(table));
        kept(steps_back(table, column, recorded, &then), &mut against)?;
        let drops = added::drops_column(recorded, &then);
        if drops {
            // Keys of other tables that depend on this one go too.
            let ours = wanted.values().chain(last.values());
            kept(added::refuse_hanging(database, table, column, ours).await, &mut against)?;
            // Where no role can be proven to see that, the step asks under its lock.
            let lost = Untold::of(inventory, &dropped, table, column, &then)?.is_there(database, tenancy).await?;
            untold.extend((lost == Some(true)).then(|| (table.clone(), column.clone())));
            dropped.insert(table.clone());
        }
        let dropped_column = drops.then(|| column.to_string());
        match restored.iter_mut().find(|known| known.table == *table) {
            Some(known) => known.add(recorded, dropped_column),
            None => restored.push(RestoredTable::of(table, recorded, dropped_column)),
        }
    }
    against.extend((!untold.is_empty()).then_some(Error::UntoldTenants(untold)));
    if against.is_empty() { Ok(restored) } else { Err(Error::NotTakenBack(against)) }
}

/// Keeps what stands against the rollback; any other error ends the checks.
fn kept<T>(checked: Result<T>, against: &mut Vec<Error>) -> Result<Option<T>> {
    match checked {
        Ok(checked) => return Ok(Some(checked)),
        Err(error @ (Error::Drifted { .. } | Error::HangsOnColumn { .. } | Error::UnknownRight { .. })) => {
            against.push(error);
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}

/// The definition once these changes are taken back.
fn after_taking_back(now: &Definition, recorded: Option<&TableChanges>) -> Definition {
    let changes = recorded.map(|recorded| recorded.changes.as_slice()).unwrap_or_default();
    let stays = |aspect: &Aspect| !changes.iter().any(|change| change.aspect == *aspect);
    let before = changes.iter().filter_map(|change| Some((change.aspect.clone(), change.before.clone()?)));
    let kept = now.iter().filter(|(aspect, _)| stays(aspect));
    kept.map(|(aspect, text)| (aspect.clone(), text.to_owned())).chain(before).collect()
}
