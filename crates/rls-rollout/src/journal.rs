//! What the journal says was changed, added up, and what of it is no longer so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::{Aspect, AspectKind, Definition, Phase};
use tenant_ops::RecordedStep;
use tenant_rls::{Database, OwnerTx};

use crate::error::{Error, Result};

/// The steps of one table that are to be taken back, and what they changed between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableChanges {
    /// The steps, oldest first.
    pub(crate) steps: Vec<i64>,
    /// What each aspect was before the first of them, and what the last of them left.
    pub(crate) changes: Vec<Change>,
}

/// Reads every step that stands.
pub(crate) async fn steps(database: &Database, tenancy: &Tenancy) -> Result<Vec<RecordedStep<Change>>> {
    let mut tx = OwnerTx::begin(database, std::time::Duration::from_secs(5)).await?;
    let steps = tenant_ops::standing_steps(tx.connection(), tenancy).await?;
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

/// One change of a definition; `None` is absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// What was changed.
    #[serde(flatten)]
    pub(crate) aspect: Aspect,
    /// The text that made it before.
    pub(crate) before: Option<String>,
    /// The text that makes it now.
    pub(crate) after: Option<String>,
}

/// Stands for the text of an index that is still being built.
pub(crate) const PENDING: &str = "PENDING";

/// What became different between two definitions, by aspect.
pub(crate) fn changes_between(before: &Definition, after: &Definition) -> Vec<Change> {
    let mut aspects: Vec<&Aspect> = before.iter().chain(after.iter()).map(|(aspect, _)| aspect).collect();
    aspects.sort();
    aspects.dedup();
    let text = |definition: &Definition, aspect: &Aspect| definition.get(aspect).map(str::to_owned);
    let change =
        |aspect: &Aspect| Change { aspect: aspect.clone(), before: text(before, aspect), after: text(after, aspect) };
    aspects.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

/// How a definition stands to one change of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeState {
    /// It is as the change left it.
    AsLeft,
    /// It is as it was before the change.
    AsBefore,
    /// It is neither: somebody else changed it.
    Drifted,
}

impl Change {
    /// How `now` stands to this change.
    pub(crate) fn standing(&self, now: &Definition) -> ChangeState {
        let text = now.get(&self.aspect);
        if text == self.before.as_deref() {
            return ChangeState::AsBefore;
        }
        // An index that was being built when its rollout was killed, or is left over from that.
        let unfinished = self.aspect.kind == AspectKind::Index
            && (self.after.as_deref() == Some(PENDING) || text.is_some_and(|text| text.starts_with("INVALID ")));
        if text == self.after.as_deref() || unfinished { ChangeState::AsLeft } else { ChangeState::Drifted }
    }

    /// That somebody changed it since.
    pub(crate) fn drifted(&self, table: &TableName, now: &Definition) -> Error {
        let text = |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`"));
        let what = format!(
            "{} (the rollout left {}, there is {})",
            self.subject(),
            text(self.after.as_deref()),
            text(now.get(&self.aspect))
        );
        Error::Drifted { table: table.clone(), what }
    }

    /// The aspect for people: `the policy "tenant_auditor_read"`.
    pub(crate) fn subject(&self) -> String {
        let Aspect { kind, name, role, column } = &self.aspect;
        match kind {
            AspectKind::RowSecurity => "ROW LEVEL SECURITY".to_owned(),
            AspectKind::Forced => "FORCE ROW LEVEL SECURITY".to_owned(),
            AspectKind::Default => "the default of the tenant column".to_owned(),
            AspectKind::NotNull => "NOT NULL on the tenant column".to_owned(),
            AspectKind::Policy => format!("the policy \"{name}\""),
            AspectKind::Constraint => format!("the constraint \"{name}\""),
            AspectKind::Index => format!("the index \"{name}\""),
            AspectKind::Grant if column.is_empty() => format!("{name} for {role}"),
            AspectKind::Grant => format!("{name} of \"{column}\" for {role}"),
        }
    }
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
        let ledger = tables.values().next().unwrap();
        assert_eq!(ledger.steps, [1, 2]);
        let [change] = ledger.changes.as_slice() else { panic!("{ledger:?}") };
        assert_eq!((change.before.as_deref(), change.after.as_deref()), (Some("old"), Some("strict")));
    }

    fn definition(aspects: &[(AspectKind, &str, &str)]) -> Definition {
        aspects.iter().map(|(kind, name, text)| (Aspect::named(*kind, name), (*text).to_owned())).collect()
    }

    #[test]
    fn a_change_names_what_came_what_went_and_what_became_different() {
        let before = definition(&[
            (AspectKind::Policy, "mine", "a"),
            (AspectKind::Policy, "old", "b"),
            (AspectKind::Index, "i", "c"),
        ]);
        let after = definition(&[
            (AspectKind::Policy, "mine", "A"),
            (AspectKind::RowSecurity, "", ""),
            (AspectKind::Index, "i", "c"),
        ]);
        let changes = changes_between(&before, &after);
        let seen: Vec<_> =
            changes.iter().map(|c| (c.aspect.name.as_str(), c.before.as_deref(), c.after.as_deref())).collect();
        assert_eq!(seen, [("", None, Some("")), ("mine", Some("a"), Some("A")), ("old", Some("b"), None)]);
    }

    #[test]
    fn a_change_reads_back_from_the_journal() {
        let change =
            Change { aspect: Aspect::named(AspectKind::Policy, "We\"ird"), before: None, after: Some("x".into()) };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"kind":"policy","name":"We\"ird","before":null,"after":"x"}"#);
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
}
