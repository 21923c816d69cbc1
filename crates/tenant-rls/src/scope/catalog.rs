//! The scope for reading the catalog.

use sqlx::PgConnection;

use crate::connection::database::Database;
use crate::connection::transaction::{Transaction, begin_read_only};
use crate::error::Result;

/// A read-only transaction for the catalog. Names resolve to `pg_catalog` only.
pub struct CatalogTx {
    transaction: Transaction,
}

impl CatalogTx {
    /// Opens the transaction.
    ///
    /// # Errors
    /// [`Error::Connect`](crate::Error::Connect): no connection can be made. [`Error::Query`](crate::Error::Query): a
    /// statement fails.
    pub async fn begin(database: &Database) -> Result<Self> {
        Ok(Self { transaction: begin_read_only(database).await? })
    }

    /// The transaction, for queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.transaction.connection()
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// [`Error::Query`](crate::Error::Query): the connection is lost.
    pub async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await
    }
}
