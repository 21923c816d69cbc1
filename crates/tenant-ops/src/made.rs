//! Runs that make rows, where others write to rows that are there. An undo deletes what they made.

use sqlx::{PgConnection, Row};
use tenancy_config::TableName;
use tenant_rls::row_count::from_bigint;
use tenant_rls::{Database, Error as RlsError};

use crate::decisions::{end, run_of_job};
use crate::error::Result;
use crate::owner::{LOCK_TIMEOUT, act, begin};

/// The job of such a run in `tenant_ops.run`.
pub const MEMBERSHIPS_JOB: &str = "memberships";

/// The name of its only source.
const SOURCE: &str = "the user's own tenant";

/// A run that makes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MakingRun {
    /// Its number.
    pub id: i64,
}

/// Rows that a run made for one tenant.
#[derive(Debug, Clone)]
pub struct MadeRows {
    /// The tenant.
    pub tenant: String,
    /// The keys of the rows.
    pub row_keys: Vec<String>,
    /// The transaction that made them, as `xmin` of its rows prints.
    pub made_in: String,
}

impl MakingRun {
    /// The unfinished run of this kind on `table`, or a new one.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn resume_or_open(database: &Database, table: &TableName) -> Result<Self> {
        Ok(Self { id: run_of_job(database, MEMBERSHIPS_JOB, &table.to_string(), SOURCE).await? })
    }

    /// How many rows the run has made, by its journal. Some of them an undo may have taken back.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn made(self, database: &Database) -> Result<u64> {
        let mut tx = begin(database, LOCK_TIMEOUT).await?;
        let row = sqlx::query(include_str!("../../../sql/tenant-ops/made.sql"))
            .bind(self.id)
            .fetch_optional(tx.connection())
            .await
            .map_err(RlsError::query("reading how many rows the run made"))?;
        tx.rollback().await?;
        Ok(row.map_or(0, |row| from_bigint(row.get("made"))))
    }

    /// The same, and the open transaction is from here on the only one that makes rows in this run: it waits for one whose connection was
    /// lost and that the server has not ended yet. Returns none if the run does not run any more.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn lock(self, tx: &mut PgConnection) -> Result<Option<u64>, RlsError> {
        let before = act(tx).await?;
        let row = sqlx::query(include_str!("../../../sql/tenant-ops/lock_made.sql"))
            .bind(self.id)
            .fetch_optional(&mut *tx)
            .await
            .map_err(RlsError::query("reading how many rows the run made"))?;
        before.again(tx).await?;
        Ok(row.map(|row| from_bigint(row.get("made"))))
    }

    /// Writes down rows that the open transaction made for a tenant. Rows and journal then have the same `xmin`, by which an undo knows
    /// a row that nobody has changed. Returns whether the run still runs; if not, the transaction must not be committed.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn record(self, tx: &mut PgConnection, tenant: &str, row_keys: &[String]) -> Result<bool, RlsError> {
        let before = act(tx).await?;
        let recorded = sqlx::query(include_str!("../../../sql/tenant-ops/record_made.sql"))
            .bind(self.id)
            .bind(tenant)
            .bind(row_keys)
            .execute(&mut *tx)
            .await
            .map_err(RlsError::query("writing down the rows that were made"))?;
        before.again(tx).await?;
        Ok(recorded.rows_affected() == 1)
    }

    /// Marks the run as done, or as stopped, to be resumed. A run that is done and made nothing is removed. Returns whether it is
    /// still there.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn end(self, database: &Database, finished: bool) -> Result<bool> {
        end(database, self.id, finished).await
    }
}

/// The rows that a run made and that no undo has looked at, newest first, those before the entry `before_entry`; each with the
/// number of its entry.
///
/// # Errors
/// [`RlsError::Query`].
pub async fn made_rows(
    connection: &mut PgConnection,
    run: i64,
    before_entry: Option<i64>,
) -> Result<Vec<(i64, MadeRows)>, RlsError> {
    let before = act(connection).await?;
    let rows = sqlx::query(include_str!("../../../sql/tenant-ops/made_rows.sql"))
        .bind(run)
        .bind(before_entry)
        .fetch_all(&mut *connection)
        .await
        .map_err(RlsError::query("reading the rows that a run made"))?;
    before.again(connection).await?;
    let made = |row: &sqlx::postgres::PgRow| MadeRows {
        tenant: row.get("tenant_id"),
        row_keys: row.get("row_keys"),
        made_in: row.get("made_in"),
    };
    Ok(rows.iter().map(|row| (row.get("id"), made(row))).collect())
}
