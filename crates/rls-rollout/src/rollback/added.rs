//! Takes back tenant columns that a rollout added: last of all, as policies of partitions and keys of other tables depend on them.

use std::collections::BTreeSet;

use sqlx::Row;
use tenancy_config::{CommandRef, Ident, TableName};
use tenant_inventory::{AspectKind, Definition, Inventory};
use tenant_ops::RecordedStep;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx, Sql, Template};

use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::journal::change::{Change, ChangeState};
use crate::plan::script::statement_text;

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

/// The statement that refuses where a row has a tenant which the rows that it points to do not tell: it came from somewhere else than a backfill
/// through them, and would be lost with the column. Where a key proves that, no row of the other table is read.
/// Tables whose columns are `dropped` already tell nothing.
pub(super) fn keep_untold(
    inventory: &Inventory,
    dropped: &BTreeSet<TableName>,
    table: &TableName,
    column: &Ident,
    now: &Definition,
) -> Result<Sql> {
    let mut told = Vec::new();
    let root = inventory.relation(table).map(|relation| inventory.root(relation));
    for key in root.into_iter().flat_map(|root| &root.foreign_keys) {
        let ([link], [reference]) = (key.columns.as_slice(), key.references.as_slice()) else { continue };
        let parent = key.target()?;
        let mut others = inventory.catalog.tables.iter().filter(|other| !dropped.contains(&other.name));
        let Some(other) = others.find(|other| other.name == parent && other.name != *table) else {
            continue;
        };
        let link_name = Ident::new(link)?;
        if is_proven(now, column, &link_name) {
            told.push(Template::new("r.:\"link\" IS NOT NULL").ident("link", &link_name).build());
            continue;
        }
        let row = Template::new(include_str!("../../../../sql/rls-rollout/fragments/told_by_row.sql"))
            .table("parent", &parent)
            .ident("key", &Ident::new(reference)?)
            .ident("link", &link_name)
            .ident("parent_column", &Ident::new(&other.column.name)?)
            .ident("column", column)
            .build();
        told.push(Sql::from_catalog(statement_text(&row).to_owned()));
    }
    if told.is_empty() {
        told.push(Sql::from_static("false"));
    }
    let message = format!("{table} has rows with a tenant that the rows that they point to do not tell");
    let keeps = CommandRef::RlsRollbackToPrepare { table: table.to_string() };
    let runs = CommandRef::BackfillRuns;
    let hint = format!(
        "dropping {column} would lose it: take back the backfill that gave it, which `{runs}` names, or keep the column: `{keeps}`"
    );
    let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/probe_untold.sql"))
        .table("table", table)
        .ident("column", column)
        .fragment("told", Sql::join(told, " OR "))
        .literal("message", &message)
        .literal("hint", &hint)
        .build();
    Ok(Template::new("DO :'body'").literal("body", statement_text(&body)).build())
}

/// Whether a valid key references a row together with its tenant.
fn is_proven(now: &Definition, column: &Ident, link: &Ident) -> bool {
    let columns = |text: &str| -> Option<Vec<String>> {
        let columns = text.strip_prefix("FOREIGN KEY (")?.split(") REFERENCES ").next()?;
        Some(columns.split(", ").map(|name| name.trim_matches('"').replace("\"\"", "\"")).collect())
    };
    let both = |text: &str| {
        let proven = !text.ends_with(" NOT VALID") && !text.ends_with(" NOT ENFORCED");
        proven && columns(text).is_some_and(|columns| columns == [column.to_string(), link.to_string()])
    };
    now.all(AspectKind::Constraint).any(|(_, text)| both(text))
}
