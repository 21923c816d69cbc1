//! What the login can do with tables that no policy of ours protects.

use std::collections::BTreeMap;

use sqlx::Row;
use tenancy_config::{Ident, TableName};
use tenant_inventory::LoginReach;
use tenant_inventory::claim::examined::UncoveredAccess;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

use crate::error::Result;

/// Reads what the login, or a role that it can become, may do with each of these tables.
pub(crate) async fn access<'a>(
    database: &Database,
    reach: &LoginReach,
    tables: impl IntoIterator<Item = &'a TableName>,
) -> Result<BTreeMap<TableName, UncoveredAccess>> {
    let tables: Vec<&TableName> = tables.into_iter().collect();
    let (schemas, names) = TableName::apart(tables.iter().copied());
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../sql/rls-verify/rights.sql"))
        .bind(schemas)
        .bind(names)
        .bind(&reach.roles)
        .fetch_all(tx.connection())
        .await
        .map_err(RlsError::query("asking what the application's login may do"))?;
    tx.rollback().await?;
    let mut found: BTreeMap<TableName, UncoveredAccess> = BTreeMap::new();
    for row in rows {
        let name =
            TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?);
        let access = match row.get::<Option<String>, _>("role") {
            None => UncoveredAccess::None,
            Some(_) if row.get("filtered") => UncoveredAccess::Filtered,
            Some(role) => UncoveredAccess::Open { role, rights: row.get("rights") },
        };
        // The rows of a table stand by role; an open one counts most.
        let known = found.entry(name).or_insert(UncoveredAccess::None);
        if !matches!(known, UncoveredAccess::Open { .. }) && access != UncoveredAccess::None {
            *known = access;
        }
    }
    Ok(found)
}
