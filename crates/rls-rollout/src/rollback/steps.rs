//! The steps that take the changes of one table back.

use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, Definition, Phase};

use crate::error::Result;
use crate::journal::TableChanges;
use crate::journal::change::ChangeState;
use crate::plan::alter;
use crate::plan::step::{Lock, Step, StepSubject};

/// Definitions and rights in one transaction, then each index by itself.
pub(crate) fn steps_back(
    table: &TableName,
    column: &Ident,
    recorded: &TableChanges,
    now: &Definition,
) -> Result<Vec<Step>> {
    let (mut statements, mut indexes) = (Vec::new(), Vec::new());
    // Rights alone are taken back without a lock on the table.
    let mut lock = Lock::None;
    for change in &recorded.changes {
        match change.state_in(now) {
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
    for (aspect, text) in comments_to_keep(recorded, now) {
        statements.extend(alter::statements(table, column, aspect, None, Some(text))?);
    }
    let subject = |name| StepSubject { table, column, phase: Phase::None, name };
    let mut steps = Vec::new();
    for index in indexes {
        let drop = alter::drop_index(table, &index)?;
        steps.push(subject("drop the index again").concurrently(index, vec![drop]));
    }
    // Last, as it marks the steps as taken back: if this is killed before, the next rollback finds the indexes gone and goes on here.
    steps.push(subject("restore the definitions from before").transaction(lock, statements));
    Ok(steps)
}

/// The comments of policies and constraints that are dropped and made again as they were, which takes their comments.
fn comments_to_keep<'a>(
    recorded: &'a TableChanges,
    now: &'a Definition,
) -> impl Iterator<Item = (&'a Aspect, &'a str)> {
    let is_made_again = move |kind: AspectKind, name: &str| {
        recorded.changes.iter().any(|change| {
            let again = change.before.is_some() && change.state_in(now) == ChangeState::AsLeft;
            again && change.aspect.kind == kind && change.aspect.name == name
        })
    };
    let recorded_itself = |aspect: &Aspect| recorded.changes.iter().any(|change| change.aspect == *aspect);
    now.iter().filter(move |(aspect, _)| {
        let of = match aspect.kind {
            AspectKind::PolicyComment => AspectKind::Policy,
            AspectKind::ConstraintComment => AspectKind::Constraint,
            _ => return false,
        };
        is_made_again(of, &aspect.name) && !recorded_itself(aspect)
    })
}
