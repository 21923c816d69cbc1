//! The steps that take the changes of one table back.

use tenancy_config::{Ident, TableName};
use tenant_inventory::{AspectKind, Definition, Phase};
use tenant_rls::Template;

use crate::error::Result;
use crate::journal::TableChanges;
use crate::journal::change::ChangeState;
use crate::plan::alter;
use crate::plan::step::{Execution, Lock, Statement, Step};

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
    let take = Template::new("LOCK TABLE ONLY :\"table\" IN ACCESS EXCLUSIVE MODE").table("table", table);
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
    // Last, as it marks the steps as taken back: if this is killed before, the next rollback finds the indexes gone and goes on here.
    steps.push(step("restore the definitions from before", Execution::Transaction, all));
    Ok(steps)
}
