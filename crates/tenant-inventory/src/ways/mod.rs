//! What reads the tables past their policies.

pub(crate) mod logins;

use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error, OwnerTx, Result};

use crate::catalog::relations::{Relation, names, schemas};

/// A way past the policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// What it is: `view`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// As whom it reads.
    pub owner: String,
    /// The tenant tables that it reads.
    pub tables: String,
}

/// Views, materialized views and functions that read the relations past their policies.
///
/// # Errors
/// [`Error::Connect`] or [`Error::Query`].
pub async fn ways_around(database: &Database, relations: &[Relation]) -> Result<Vec<Way>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/ways_around.sql"))
        .bind(schemas(relations))
        .bind(names(relations))
        .fetch_all(tx.connection())
        .await
        .map_err(Error::query("looking for views and functions that pass the policies"))?;
    tx.rollback().await?;
    let way = |row: &PgRow| Way {
        kind: row.get("kind"),
        name: row.get("name"),
        owner: row.get("owner"),
        tables: row.get("tables"),
    };
    Ok(rows.iter().map(way).collect())
}
