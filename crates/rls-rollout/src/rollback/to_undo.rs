//! Which steps of the journal a rollback takes back.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{AspectKind, Member};
use tenant_ops::RecordedStep;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

use crate::born_closed::{StepsApart, steps_apart};
use crate::error::{Error, Result};
use crate::journal::change::Change;
use crate::journal::{self, TableChanges};
use crate::rollback::added;
use crate::rollback::options::RollbackOptions;

/// The steps to take back, by table.
pub(super) struct StepsToUndo {
    /// Those of tables.
    pub(super) recorded: BTreeMap<TableName, TableChanges>,
    /// Tenant columns that were added, and the keys that came with them. They are taken back after all of the others.
    pub(super) last: BTreeMap<TableName, TableChanges>,
    /// The tables that are no longer there.
    pub(super) gone: Vec<TableName>,
    /// Those of the event trigger that closes new tables.
    pub(super) born_closed: Option<TableChanges>,
    /// Those of the declared logins, which go after their tables.
    pub(super) logins: Option<TableChanges>,
}

/// Reads them, and refuses where a table belongs to somebody else.
pub(super) async fn steps_to_undo(
    database: &Database,
    tenancy: &Tenancy,
    options: &RollbackOptions,
) -> Result<StepsToUndo> {
    let StepsApart { tables: steps, born_closed: of_trigger, logins: of_login } =
        steps_apart(database, tenancy).await?;
    let mut tables = Vec::new();
    for name in &options.tables {
        tables.push(TableName::parse(name, &tenancy.database.schema)?);
    }
    if let Some(number) = options.rollout
        && !steps.iter().chain(&of_trigger).chain(&of_login).any(|step| step.rollout == number)
    {
        return Err(Error::NothingToUndo { rollout: number });
    }
    let is_wanted = |step: &&RecordedStep<Change>| {
        options.rollout.is_none_or(|number| step.rollout == number)
            && journal::phase(step) > options.to
            && (tables.is_empty() || tables.contains(&step.table))
    };
    let mut recorded = journal::add_up(steps.iter().filter(is_wanted).filter(|step| !added::is_last(step)));
    let mut last = journal::add_up(steps.iter().filter(is_wanted).filter(|step| added::is_last(step)));
    let gone = gone(database, recorded.keys().chain(last.keys())).await?;
    recorded.retain(|table, _| !gone.contains(table));
    last.retain(|table, _| !gone.contains(table));
    let owned =
        recorded.iter().filter(|(_, recorded)| recorded.changes.iter().any(|c| c.aspect.kind != AspectKind::Grant));
    refuse_other_owners(database, owned.map(|(table, _)| table).chain(last.keys())).await?;
    let born_closed = journal::add_up(of_trigger.iter().filter(is_wanted)).into_values().next();
    // What a rollout took again is not there to be taken back.
    let mut logins = journal::add_up(of_login.iter().filter(is_wanted)).into_values();
    let logins = logins.find(|recorded| !recorded.changes.is_empty());
    Ok(StepsToUndo { recorded, last, gone, born_closed, logins })
}

async fn gone(database: &Database, tables: impl Iterator<Item = &TableName>) -> Result<Vec<TableName>> {
    let (schemas, names) = TableName::apart(tables);
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../../sql/rls-rollout/gone.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("looking for the tables of the journal"))?;
    tx.rollback().await?;
    let name = |row: &PgRow| {
        Ok(TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?))
    };
    rows.iter().map(name).collect()
}

/// Fails where a table or a partition of one belongs to somebody else, before the first step: a table that is restored without its partitions
/// would be neither as it was nor as the rollout left it.
async fn refuse_other_owners(database: &Database, tables: impl Iterator<Item = &TableName>) -> Result<()> {
    let (schemas, names) = TableName::apart(tables);
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../../sql/rls-rollout/other_owners.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking who owns the tables of the journal"))?;
    tx.rollback().await?;
    let member = |row: &PgRow| {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        Ok(Member { table: TableName::new(Ident::new(schema)?, Ident::new(name)?), owner: row.get("owner") })
    };
    let others = rows.iter().map(member).collect::<Result<Vec<_>>>()?;
    if others.is_empty() { Ok(()) } else { Err(Error::OtherOwner(others)) }
}
