//! One change of a definition, and how the definition stands to it now.

use serde::{Deserialize, Serialize};
use tenancy_config::TableName;
use tenant_inventory::{Aspect, AspectKind, Definition};

use crate::error::Error;

/// One change of a definition; `None` means that there is no such thing.
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

/// How a definition compares with one change of the journal.
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
    /// How `now` compares with this change.
    pub(crate) fn state_in(&self, now: &Definition) -> ChangeState {
        let text = now.get(&self.aspect);
        if text == self.before.as_deref() {
            return ChangeState::AsBefore;
        }
        // The rollout was killed while it built the index, which may be left over, invalid.
        let unfinished = self.aspect.kind == AspectKind::Index
            && (self.after.as_deref() == Some(PENDING) || text.is_some_and(|text| text.starts_with("INVALID ")));
        if text == self.after.as_deref() || unfinished { ChangeState::AsLeft } else { ChangeState::Drifted }
    }

    /// Whether it belongs to a tenant column that was added: that itself, the key that references a row together with its tenant, and the unique
    /// index that this rests on. A rollout makes neither of the two otherwise.
    pub(crate) fn is_of_added_column(&self) -> bool {
        let made = |text: &&str| *text != PENDING;
        let texts = || self.before.as_deref().into_iter().chain(self.after.as_deref()).filter(made);
        match self.aspect.kind {
            AspectKind::Column => true,
            AspectKind::Constraint => texts().any(|text| {
                let columns = text.strip_prefix("FOREIGN KEY (").and_then(|rest| rest.split(") REFERENCES ").next());
                columns.is_some_and(|columns| columns.contains(", "))
            }),
            // One whose entry was never completed may be that index, and serve a key by now.
            AspectKind::Index if self.after.as_deref() == Some(PENDING) => true,
            AspectKind::Index => texts().any(|text| text.trim_start_matches("INVALID ").starts_with("CREATE UNIQUE ")),
            _ => false,
        }
    }

    /// The error that somebody changed it since.
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
            AspectKind::EventTrigger => format!("the event trigger \"{name}\""),
            AspectKind::Role => format!("the role \"{name}\""),
            AspectKind::SchemaUsage => format!("USAGE of the schema \"{name}\" for {role}"),
            AspectKind::SequenceUsage => format!("USAGE of the sequence \"{name}\" for {role}"),
            AspectKind::PolicyComment => format!("the comment of the policy \"{name}\""),
            AspectKind::ConstraintComment => format!("the comment of the constraint \"{name}\""),
            AspectKind::Column => "the tenant column".to_owned(),
            AspectKind::Grant if column.is_empty() => format!("{name} for {role}"),
            AspectKind::Grant => format!("{name} of \"{column}\" for {role}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
