//! Which states tenants have.

use sqlx::Row;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Access, AuditTx, Database, Error, Template, visibility};

use crate::error::Result;
use crate::facts::Column;

/// Rows that are looked at.
const SAMPLE: i64 = 10_000;
/// A column with more values than these is no state.
const MOST: usize = 20;

/// What is known of the states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum States {
    /// All that there can be, or some that are there.
    Known(Vec<String>),
    /// Too many for states.
    Many,
    /// Rows may be hidden from this login, or it may not read them.
    Hidden,
}

/// The labels of an enum, else the values of some rows, if this login sees them all.
pub(crate) async fn states(
    database: &Database,
    tenancy: &Tenancy,
    table: &TableName,
    column: &Column,
) -> Result<States> {
    if let Some(labels) = &column.labels {
        return Ok(States::Known(labels.clone()));
    }
    if column.type_name == "boolean" {
        return Ok(States::Known(vec!["true".into(), "false".into()]));
    }
    let name = Ident::new(&column.name)?;
    let access = [Access { table: table.clone(), read: vec![name.clone()], write: None }];
    let mut tx = match AuditTx::begin(database, &access, &visibility::readers(database, tenancy)?, None).await {
        Ok(tx) => tx,
        Err(Error::CannotSee(_) | Error::Strangers(_)) => return Ok(States::Hidden),
        Err(error) => return Err(error.into()),
    };
    let statement = Template::new(include_str!("../../../sql/tenancy-init/states.sql"))
        .ident("column", &name)
        .table("table", table)
        .build();
    let rows = sqlx::query(&statement)
        .bind(SAMPLE)
        .bind(i64::try_from(MOST + 1).expect("a small number"))
        .fetch_all(tx.connection())
        .await
        .map_err(Error::query(format!("reading the states of {table}")))?;
    let mut states: Vec<String> = rows.iter().map(|row| row.get("state")).collect();
    tx.close().await?;
    states.sort();
    Ok(if states.len() > MOST { States::Many } else { States::Known(states) })
}
