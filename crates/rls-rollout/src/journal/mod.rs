//! The steps of rollouts that the journal has, and the sum of their changes.

pub(crate) mod change;
mod same_role;

use std::collections::{BTreeMap, BTreeSet};

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Aspect, AspectKind, Phase};
use tenant_ops::RecordedStep;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::Result;
use crate::journal::change::Change;

/// The steps of one table that are to be taken back, and what they changed between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableChanges {
    /// The steps, oldest first.
    pub(crate) steps: Vec<i64>,
    /// What each aspect was before the first of them, and what the last of them left.
    pub(crate) changes: Vec<Change>,
}

/// What the standing steps of rollouts changed, by table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded(BTreeMap<TableName, TableChanges>);

impl Recorded {
    /// Adds the steps up.
    pub(crate) fn of(steps: &[RecordedStep<Change>]) -> Self {
        Self(add_up(steps.iter()))
    }

    /// The tables of which rollouts changed something.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &TableName> {
        self.0.keys()
    }

    /// What rollouts changed of a table.
    pub(crate) fn changes(&self, table: &TableName) -> &[Change] {
        self.0.get(table).map(|recorded| recorded.changes.as_slice()).unwrap_or_default()
    }

    /// Whether a rollout made this, where there was no such thing before. Nothing else is ever dropped.
    pub(crate) fn made(&self, table: &TableName, aspect: &Aspect) -> bool {
        self.changes(table)
            .iter()
            .any(|change| change.aspect == *aspect && change.before.is_none() && change.after.is_some())
    }
}

/// Reads every step that was not taken back, without what it gave to a role that is gone.
pub(crate) async fn steps(database: &Database, tenancy: &Tenancy) -> Result<Vec<RecordedStep<Change>>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let mut steps = tenant_ops::standing_steps(tx.connection(), tenancy).await?;
    same_role::forget_gone(tx.connection(), &mut steps).await?;
    tx.rollback().await?;
    Ok(steps)
}

/// The phase that a step belongs to.
pub(crate) fn phase(step: &RecordedStep<Change>) -> Phase {
    Phase::parse(&step.phase).unwrap_or(Phase::None)
}

/// Adds steps up by table.
pub(crate) fn add_up<'a>(steps: impl Iterator<Item = &'a RecordedStep<Change>>) -> BTreeMap<TableName, TableChanges> {
    let mut tables: BTreeMap<TableName, (Vec<i64>, BTreeMap<Aspect, Change>)> = BTreeMap::new();
    for step in steps {
        let (ids, changes) = tables.entry(step.table.clone()).or_default();
        ids.push(step.id);
        for change in &step.changes {
            match changes.get_mut(&change.aspect) {
                Some(sum) => sum.after.clone_from(&change.after),
                None => drop(changes.insert(change.aspect.clone(), change.clone())),
            }
        }
    }
    let sum = |(steps, changes): (Vec<i64>, BTreeMap<Aspect, Change>)| TableChanges {
        steps,
        changes: changes.into_values().filter(|change| change.before != change.after).collect(),
    };
    tables.into_iter().map(|(table, entry)| (table, sum(entry))).collect()
}

/// The tables whose FORCE a rollout lifted last and did not restore: it was killed while it validated a foreign key.
pub(crate) fn lifted(steps: &[RecordedStep<Change>]) -> BTreeSet<TableName> {
    let mut lifted = BTreeSet::new();
    for step in steps {
        for change in step.changes.iter().filter(|change| change.aspect.kind == AspectKind::Forced) {
            match change.after {
                None => drop(lifted.insert(step.table.clone())),
                Some(_) => drop(lifted.remove(&step.table)),
            }
        }
    }
    lifted
}

#[cfg(test)]
mod tests {
    use tenancy_config::Ident;

    use super::*;

    fn step(id: i64, changes: &[(&str, Option<&str>, Option<&str>)]) -> RecordedStep<Change> {
        let change = |(name, before, after): &(&str, Option<&str>, Option<&str>)| Change {
            aspect: Aspect::named(AspectKind::Policy, name),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let table = TableName::new(Ident::new("public").unwrap(), Ident::new("t").unwrap());
        let changes = changes.iter().map(change).collect();
        RecordedStep { id, rollout: 1, table, phase: "prepare".into(), changes }
    }

    #[test]
    fn what_came_and_went_again_is_no_change() {
        let steps = [
            step(1, &[("check", None, Some("a")), ("policy", Some("old"), Some("bridge"))]),
            step(2, &[("check", Some("a"), None), ("policy", Some("bridge"), Some("strict"))]),
        ];
        let tables = add_up(steps.iter());
        let recorded = tables.values().next().unwrap();
        assert_eq!(recorded.steps, [1, 2]);
        let [change] = recorded.changes.as_slice() else { panic!("{recorded:?}") };
        assert_eq!((change.before.as_deref(), change.after.as_deref()), (Some("old"), Some("strict")));
    }
}
