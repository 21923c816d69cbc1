//! Takes back tenant columns that a rollout added: last of all, as policies of partitions and keys of other tables depend on them.

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_inventory::{AspectKind, Definition};
use tenant_ops::RecordedStep;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::journal::change::{Change, ChangeState};

/// Whether a step made what is taken back last.
pub(super) fn is_last(step: &RecordedStep<Change>) -> bool {
    step.changes.iter().any(Change::is_of_added_column)
}

/// Whether these changes include a column that is to be dropped.
pub(super) fn drops_column(recorded: &TableChanges, now: &Definition) -> bool {
    let of_column = |change: &&Change| change.aspect.kind == AspectKind::Column && change.before.is_none();
    recorded.changes.iter().filter(of_column).any(|change| change.state_in(now) == ChangeState::AsLeft)
}

/// Refuses to drop a column on which something hangs that no rollout made: it would go with the column.
pub(super) async fn refuse_hanging(
    database: &Database,
    table: &TableName,
    column: &Ident,
    ours: impl Iterator<Item = &TableChanges>,
) -> Result<()> {
    let ours: Vec<&Change> = ours.flat_map(|recorded| &recorded.changes).collect();
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../../sql/rls-rollout/hangs_on_column.sql"))
        .bind(table.schema().as_str())
        .bind(table.name().as_str())
        .bind(column.as_str())
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking what depends on the tenant column"))?;
    tx.rollback().await?;
    let made = |kind: AspectKind, name: &str| {
        ours.iter().any(|change| change.aspect.kind == kind && change.aspect.name == name && change.before.is_none())
    };
    let hangs = rows.iter().filter(|row| {
        let name: String = row.get("name");
        match row.get::<String, _>("kind").as_str() {
            "pg_class" => !made(AspectKind::Index, &name),
            "pg_constraint" => !made(AspectKind::Constraint, &name),
            "pg_policy" => !made(AspectKind::Policy, &name),
            "pg_attrdef" => !made(AspectKind::Default, ""),
            _ => true,
        }
    });
    let what: Vec<String> = hangs.map(|row| row.get("says")).collect();
    if what.is_empty() {
        return Ok(());
    }
    Err(Error::HangsOnColumn { table: table.clone(), column: column.to_string(), what })
}
