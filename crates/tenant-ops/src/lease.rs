//! Leases with heartbeat and fencing: a row, not a session lock, so that a pooler between does not matter.

use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use sqlx::{PgConnection, Row};
use tenant_rls::{Backoff, Database, Error as RlsError, OwnerTx, retry_locks};

use crate::{Error, Result};

/// A lease that was not renewed for this long may be taken over.
pub const LEASE_TTL: Duration = Duration::from_secs(10);

/// How often a holder renews its lease.
pub const HEARTBEAT: Duration = Duration::from_secs(2);

/// The right to work on something, until [`Lease::release`] or until it ran out. Writing checks the fence in the same
/// transaction: a holder that slept through a take-over cannot write.
#[derive(Debug, Clone)]
pub struct Lease {
    /// What is held.
    pub resource: String,
    /// Counts up with every holder.
    pub fence: i64,
}

impl Lease {
    /// Takes the lease. Where somebody has it, waits to see whether they are alive: a lease that nobody renews runs out
    /// within [`LEASE_TTL`] and is taken over. `waiting` gets the holder's name once, when the wait begins.
    ///
    /// # Errors
    /// [`Error::Held`] where somebody who is alive has it.
    pub async fn acquire(
        database: &Database,
        resource: &str,
        holder: &str,
        waiting: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self> {
        let deadline = tokio::time::Instant::now() + LEASE_TTL + HEARTBEAT;
        let mut first_heartbeat = None;
        loop {
            match Self::try_acquire(database, resource, holder).await? {
                Ok(lease) => return Ok(lease),
                Err(current) => {
                    if first_heartbeat.is_none() {
                        waiting(&current.holder);
                    }
                    let seen = *first_heartbeat.get_or_insert(current.heartbeat);
                    if current.heartbeat > seen || tokio::time::Instant::now() > deadline {
                        return Err(Error::Held {
                            resource: resource.to_owned(),
                            holder: current.holder,
                            since: current.since.with_timezone(&Local),
                            heartbeat: current.heartbeat.with_timezone(&Local),
                        });
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    /// Takes the lease if nobody holds it, or it ran out.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn take(database: &Database, resource: &str, holder: &str) -> Result<Option<Self>> {
        Ok(Self::try_acquire(database, resource, holder).await?.ok())
    }

    async fn try_acquire(database: &Database, resource: &str, holder: &str) -> Result<Result<Self, Holder>> {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 8);
        Ok(retry_locks(backoff, async || {
            let mut tx = OwnerTx::begin(database, Duration::from_secs(2)).await?;
            let taken = acquire_in(tx.connection(), resource, holder).await?;
            let outcome = match taken {
                Some(fence) => Ok(Self { resource: resource.to_owned(), fence }),
                None => Err(Holder::read(tx.connection(), resource).await?),
            };
            tx.commit().await?;
            Ok(outcome)
        })
        .await?)
    }

    /// Takes the lease inside an open transaction: for a dry run, which takes it back.
    ///
    /// # Errors
    /// [`Error::Held`] where somebody has it.
    pub async fn acquire_in(connection: &mut PgConnection, resource: &str, holder: &str) -> Result<Self> {
        if let Some(fence) = acquire_in(connection, resource, holder).await? {
            return Ok(Self { resource: resource.to_owned(), fence });
        }
        let current = Holder::read(connection, resource).await?;
        Err(Error::Held {
            resource: resource.to_owned(),
            holder: current.holder,
            since: current.since.with_timezone(&Local),
            heartbeat: current.heartbeat.with_timezone(&Local),
        })
    }

    /// The fence of whoever holds the lease now: for a dry run, which writes nothing that stays.
    ///
    /// # Errors
    /// [`RlsError::Query`].
    pub async fn fence_in(connection: &mut PgConnection, resource: &str) -> Result<i64, RlsError> {
        sqlx::query_scalar("SELECT fence FROM tenant_ops.lease WHERE resource = $1")
            .bind(resource)
            .fetch_one(connection)
            .await
            .map_err(RlsError::query("asking who holds the lease"))
    }

    /// Renews the lease.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] where another run has taken it over.
    pub async fn heartbeat(&self, database: &Database) -> Result<()> {
        let mut tx = OwnerTx::begin(database, HEARTBEAT).await?;
        let renewed = sqlx::query(include_str!("../../../sql/ops/heartbeat.sql"))
            .bind(&self.resource)
            .bind(self.fence)
            .bind(LEASE_TTL.as_millis() as i64)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("renewing the lease"))?;
        tx.commit().await?;
        if renewed.rows_affected() == 0 {
            return Err(Error::LeaseLost { resource: self.resource.clone() });
        }
        Ok(())
    }

    /// Renews the lease until the answer is dropped.
    #[must_use]
    pub fn keep_alive(&self, database: &Database) -> KeptAlive {
        let (database, lease) = (database.clone(), self.clone());
        KeptAlive::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                // A lost lease needs no word here: the next write finds the fence moved and stops.
                let _ = lease.heartbeat(&database).await;
            }
        })
    }

    /// Holds the lease still until the open transaction ends: whoever takes it over waits for that, and where somebody has
    /// taken it over already, nothing is written.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn fence(&self, connection: &mut PgConnection) -> Result<()> {
        let held = sqlx::query("SELECT FROM tenant_ops.lease WHERE resource = $1 AND fence = $2 FOR KEY SHARE")
            .bind(&self.resource)
            .bind(self.fence)
            .fetch_optional(connection)
            .await
            .map_err(RlsError::query("checking the lease"))?;
        held.map(drop).ok_or_else(|| Error::LeaseLost { resource: self.resource.clone() })
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// [`Error::Database`]; the lease runs out by itself then.
    pub async fn release(&self, database: &Database) -> Result<()> {
        let mut tx = OwnerTx::begin(database, HEARTBEAT).await?;
        sqlx::query(include_str!("../../../sql/ops/release_lease.sql"))
            .bind(&self.resource)
            .bind(self.fence)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("giving the lease back"))?;
        Ok(tx.commit().await?)
    }
}

/// A sign of life that a task of its own renews, until this is dropped.
#[derive(Debug)]
pub struct KeptAlive(tokio::task::JoinHandle<()>);

impl KeptAlive {
    pub(crate) fn spawn(renewing: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(renewing))
    }
}

impl Drop for KeptAlive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn acquire_in(connection: &mut PgConnection, resource: &str, holder: &str) -> Result<Option<i64>, RlsError> {
    sqlx::query_scalar(include_str!("../../../sql/ops/acquire_lease.sql"))
        .bind(resource)
        .bind(holder)
        .bind(LEASE_TTL.as_millis() as i64)
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("taking the lease"))
}

struct Holder {
    holder: String,
    since: DateTime<Utc>,
    heartbeat: DateTime<Utc>,
}

impl Holder {
    async fn read(connection: &mut PgConnection, resource: &str) -> Result<Self, RlsError> {
        let row = sqlx::query("SELECT holder, acquired_at, heartbeat_at FROM tenant_ops.lease WHERE resource = $1")
            .bind(resource)
            .fetch_one(connection)
            .await
            .map_err(RlsError::query("asking who holds the lease"))?;
        Ok(Self { holder: row.get(0), since: row.get(1), heartbeat: row.get(2) })
    }
}
