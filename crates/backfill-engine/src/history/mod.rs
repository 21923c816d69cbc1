//! The recorded runs: their list, the assignments of a row, their control and their undo.

pub(crate) mod control;
pub(crate) mod made;
pub(crate) mod undo;

use tenancy_config::{TableName, Tenancy};
use tenant_ops::{Assignment, RunRecord};
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::Result;

/// Reads every run of this database, newest first.
///
/// # Errors
/// [`Error::Ops`](crate::Error::Ops) if the book-keeping is not usable; [`Error::Database`](crate::Error::Database) if
/// the database cannot be read.
pub async fn runs(database: &Database, tenancy: &Tenancy) -> Result<Vec<RunRecord>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let runs = tenant_ops::runs(tx.connection(), tenancy, None).await?;
    tx.rollback().await?;
    Ok(runs)
}

/// Reads every assignment of a row, oldest first.
///
/// # Errors
/// [`Error::Ops`](crate::Error::Ops) if the book-keeping is not usable; [`Error::Database`](crate::Error::Database) if
/// the database cannot be read.
pub async fn why(database: &Database, tenancy: &Tenancy, table: &TableName, key: &str) -> Result<Vec<Assignment>> {
    let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
    let found = tenant_ops::why(tx.connection(), tenancy, &table.to_string(), key).await?;
    tx.rollback().await?;
    Ok(found)
}
