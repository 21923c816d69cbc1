//! Cleanup after the last row: statistics for the planner, and what vacuum has to free.

use std::time::Duration;

use serde::Serialize;
use sqlx::Row;
use tenancy_config::TableName;
use tenant_rls::{Backoff, Database, Error as RlsError, OwnerTx, Template, retry_locks};

use crate::error::Result;
use tenant_rls::row_count::from_bigint;

/// Autovacuum, which the run itself triggers, yields after `deadlock_timeout`, by default 1 s. A shorter lock timeout
/// would never succeed.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// What a run leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cleanup {
    /// The table was analyzed. Without this the planner expects as few rows of a tenant as before.
    pub analyzed: bool,
    /// Why it was not.
    pub not_analyzed: Option<String>,
    /// Dead rows that vacuum has to free.
    pub dead_rows: u64,
    /// About the bytes of the dead rows in the table. Dead entries of indexes are not counted.
    pub dead_bytes: u64,
    /// Whether autovacuum will free them.
    pub vacuum: Vacuum,
}

/// Whether autovacuum will free the dead rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vacuum {
    /// There are enough of them that autovacuum starts by itself.
    Comes,
    /// There are too few of them for autovacuum.
    TooFew,
    /// Autovacuum is off for the server or the table, so somebody must vacuum.
    Off,
}

impl Cleanup {
    /// Analyzes the table, if this login may, and reads what is left for vacuum.
    ///
    /// # Errors
    /// [`tenant_rls::Error::Connect`] or [`tenant_rls::Error::Query`] if the table's statistics cannot be read. A
    /// failed ANALYZE is no error; [`not_analyzed`](Self::not_analyzed) has its reason.
    pub async fn analyze(database: &Database, table: &TableName) -> Result<Self> {
        let (_, may_analyze) = Self::read(database, table).await?;
        let not_analyzed = if may_analyze {
            run_analyze(database, table).await.err().map(|error| error.to_string())
        } else {
            Some(format!("{} does not own the table; its owner runs ANALYZE", database.session().role))
        };
        let (stats, _) = Self::read(database, table).await?;
        Ok(Self { analyzed: not_analyzed.is_none(), not_analyzed, ..stats })
    }

    async fn read(database: &Database, table: &TableName) -> Result<(Self, bool)> {
        let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
        let row = sqlx::query(include_str!("../../../../sql/backfill-engine/after_stats.sql"))
            .bind(table.schema().as_str())
            .bind(table.name().as_str())
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query(format!("asking what is left to vacuum in {table}")))?;
        tx.rollback().await?;
        let vacuum = match (row.get("autovacuum_is_on"), row.get("autovacuum_comes")) {
            (false, _) => Vacuum::Off,
            (true, true) => Vacuum::Comes,
            (true, false) => Vacuum::TooFew,
        };
        let (dead_rows, dead_bytes) = (from_bigint(row.get("dead_rows")), from_bigint(row.get("dead_bytes")));
        Ok((Self { analyzed: false, not_analyzed: None, dead_rows, dead_bytes, vacuum }, row.get("may_analyze")))
    }
}

async fn run_analyze(database: &Database, table: &TableName) -> tenant_rls::Result<()> {
    let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2), 2);
    let statement = Template::new("ANALYZE :\"table\"").table("table", table).build();
    retry_locks(backoff, async || {
        let mut tx = OwnerTx::begin(database, LOCK_TIMEOUT).await?;
        tx.run_script(&format!("analyzing {table}"), &statement).await?;
        tx.commit().await
    })
    .await
}
