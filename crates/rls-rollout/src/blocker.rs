//! The sessions that hold a lock that a step waits for.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use tenancy_config::{Ident, TableName};
use tenant_rls::{Database, Error as RlsError, OwnerTx};

/// A session or prepared transaction that holds a lock on a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blocker {
    /// What it holds: the table, or a partition of it.
    pub table: TableName,
    /// Its process id; none for a prepared transaction.
    pub pid: Option<i32>,
    /// Its role, where this login may know.
    pub role: Option<String>,
    /// Its `application_name`.
    pub application: Option<String>,
    /// It is an autovacuum, which gives way after `deadlock_timeout`.
    pub autovacuum: bool,
    /// Its state, such as `idle in transaction`.
    pub state: Option<String>,
    /// How long its transaction has been open, in seconds.
    pub seconds: Option<f64>,
    /// The name of a prepared transaction.
    pub prepared: Option<String>,
    /// The locks that it holds.
    pub modes: String,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.prepared, self.pid) {
            (Some(name), _) => write!(f, "the prepared transaction `{name}`")?,
            (None, Some(pid)) if self.autovacuum => write!(f, "an autovacuum (process {pid})")?,
            (None, Some(pid)) => write!(f, "process {pid}")?,
            (None, None) => f.write_str("a prepared transaction")?,
        }
        if let Some(role) = &self.role {
            write!(f, " of {role}")?;
        }
        if let Some(application) = self.application.as_ref().filter(|name| !name.is_empty()) {
            write!(f, " ({application})")?;
        }
        if let Some(state) = &self.state {
            write!(f, ", {state}")?;
        }
        if let Some(seconds) = self.seconds {
            write!(f, ", in its transaction for {seconds:.1} s")?;
        }
        Ok(())
    }
}

impl Blocker {
    /// The blocker for a message about `table`; it names what is locked where that is another, such as a partition.
    pub fn beside(&self, table: &TableName) -> String {
        if self.table == *table { self.to_string() } else { format!("{self}, on {}", self.table) }
    }
}

/// How many blockers of one table are named.
const NAMED: i64 = 5;

/// Those that hold a lock on one of the tables or their partitions now, longest transaction first.
pub(crate) async fn blockers(database: &Database, tables: &[&TableName]) -> Result<Vec<Blocker>, RlsError> {
    holders(database, tables, NAMED).await
}

/// The same, at most `limit`.
pub(crate) async fn holders(database: &Database, tables: &[&TableName], limit: i64) -> Result<Vec<Blocker>, RlsError> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(1)).await?;
    let (schemas, names) = TableName::apart(tables.iter().copied());
    let rows = sqlx::query(include_str!("../../../sql/rls-rollout/blockers.sql"))
        .bind(schemas)
        .bind(names)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(|error| {
            let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
            RlsError::query(format!("asking who holds a lock on {}", names.join(", ")))(error)
        })?;
    tx.rollback().await?;
    rows.iter().map(blocker).collect()
}

fn blocker(row: &PgRow) -> Result<Blocker, RlsError> {
    Ok(Blocker {
        table: TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?),
        pid: row.get("pid"),
        role: row.get("role"),
        application: row.get("application"),
        autovacuum: row.get("autovacuum"),
        state: row.get("state"),
        seconds: row.get("seconds"),
        prepared: row.get("prepared"),
        modes: row.get("modes"),
    })
}
