//! What runs beside a rollout, as values: long transactions, prepared ones, standbys and slots.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::types::Json;
use tenant_rls::{CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, OwnerTx};

/// What runs beside a rollout, as far as this login may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) long_transactions: Vec<LongTransaction>,
    /// How many sessions do not show this login how old their transaction is.
    pub(crate) hidden_sessions: i64,
    pub(crate) prepared_transactions: Vec<PreparedTransaction>,
    pub(crate) standbys: Vec<Standby>,
    pub(crate) standbys_are_readable: bool,
    pub(crate) unread_slots: Vec<UnreadSlot>,
}

/// A transaction that has been open for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongTransaction {
    /// The process.
    pub pid: i32,
    /// Its role; none for a process of the server itself.
    pub role: Option<String>,
    /// Its `application_name`, if it has one.
    pub application: Option<String>,
    /// How long the transaction has been open.
    pub seconds: i64,
}

/// A prepared transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedTransaction {
    /// Its name.
    pub name: String,
    /// Who prepared it.
    pub owner: String,
    /// How long ago that was.
    pub seconds: i64,
}

/// A standby that is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standby {
    /// The process that serves it.
    pub pid: i32,
    /// Its `application_name`, if it has one.
    pub application: Option<String>,
    /// How much it has not applied yet, in units of 1024 bytes, where this login may see that.
    pub behind_kb: Option<i64>,
    /// The same in seconds; none also where nothing was written lately.
    pub behind_seconds: Option<i64>,
}

/// A replication slot that nobody reads from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadSlot {
    /// Its name.
    pub name: String,
    /// How much of the log it keeps, in units of 1024 bytes.
    pub kept_kb: Option<i64>,
    /// Its `wal_status`, such as `lost`.
    pub wal_status: Option<String>,
}

impl Activity {
    /// Reads it; a transaction is long from this many seconds on.
    ///
    /// # Errors
    /// Those of reading the catalog.
    pub(crate) async fn read(database: &Database, long: f64) -> Result<Self, RlsError> {
        let mut tx = OwnerTx::begin(database, CATALOG_LOCK_TIMEOUT).await?;
        let row = sqlx::query(include_str!("../../../../sql/rls-rollout/preflight_activity.sql"))
            .bind(long)
            .fetch_one(tx.connection())
            .await
            .map_err(RlsError::query("asking what runs beside the rollout"))?;
        tx.rollback().await?;
        let Json(long_transactions) = row.get("long_transactions");
        let Json(prepared_transactions) = row.get("prepared_transactions");
        let Json(standbys) = row.get("standbys");
        let Json(unread_slots) = row.get("unread_slots");
        Ok(Self {
            long_transactions,
            hidden_sessions: row.get("hidden_sessions"),
            prepared_transactions,
            standbys,
            standbys_are_readable: row.get("standbys_are_readable"),
            unread_slots,
        })
    }
}

impl fmt::Display for LongTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} of {}", self.pid, self.role.as_deref().unwrap_or_default())?;
        if let Some(application) = &self.application {
            write!(f, " ({application})")?;
        }
        write!(f, ", for {} s", self.seconds)
    }
}

impl fmt::Display for PreparedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}, for {} s", self.name, self.owner, self.seconds)
    }
}

impl fmt::Display for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.application {
            Some(application) => f.write_str(application)?,
            None => write!(f, "process {}", self.pid)?,
        }
        if let Some(behind) = self.behind_kb {
            write!(f, ", {behind} kB behind")?;
        }
        self.behind_seconds.map_or(Ok(()), |seconds| write!(f, ", by {seconds} s"))
    }
}

impl fmt::Display for UnreadSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(kept) = self.kept_kb {
            write!(f, ", {kept} kB")?;
        }
        match self.wal_status.as_deref() {
            Some("reserved") => Ok(()),
            status => write!(f, " ({})", status.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use local_db::Role;
    use tenant_rls::{ConnectOptions, Sql};

    use super::*;

    #[tokio::test]
    async fn each_transaction_beside_the_rollout_is_read_with_its_fields() {
        let db = test_support::empty_database().await;
        let mut owner = db.owner().await;
        let prepare = Sql::from_static("BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'left behind'; BEGIN");
        owner.run_script("preparing a test", prepare).await.unwrap();
        let database = Database::connect(&db.url(Role::Superuser), &ConnectOptions::default()).await.unwrap();
        let seen = Activity::read(&database, 0.0).await.unwrap();
        database.close().await;
        for statement in ["COMMIT", "ROLLBACK PREPARED 'left behind'"] {
            owner.run_script("cleaning up", Sql::from_static(statement)).await.unwrap();
        }
        let [long] = &seen.long_transactions[..] else { panic!("{seen:?}") };
        assert_eq!((long.role.as_deref(), long.application.as_deref()), (Some("app_owner"), Some("tests")));
        let [prepared] = &seen.prepared_transactions[..] else { panic!("{seen:?}") };
        assert_eq!((prepared.name.as_str(), prepared.owner.as_str()), ("left behind", "app_owner"));
        assert!(seen.standbys_are_readable && seen.hidden_sessions == 0, "{seen:?}");
    }
}
