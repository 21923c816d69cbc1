//! Leases with heartbeat and fencing. A lease is a row and not a session lock, so that it works through a pooler.

use std::time::Duration;

use sqlx::PgConnection;
use tenant_rls::{Database, Error as RlsError};

use crate::error::{Error, Result};
use crate::owner::{act, begin};

/// A process that watched a lease for this long without a heartbeat may take it over.
pub const LEASE_TTL: Duration = Duration::from_secs(10);

/// How often a holder renews its lease.
pub const HEARTBEAT: Duration = Duration::from_secs(2);

/// The right to work on something, until [`Lease::release`] or until it runs out. A transaction that writes checks the fence: a holder
/// that slept through a take-over cannot write.
#[derive(Debug, Clone)]
pub struct Lease {
    /// What is held.
    pub resource: String,
    /// Counts up with every holder.
    pub fence: i64,
}

impl Lease {
    /// Renews the lease.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] where another run has taken it over.
    pub async fn heartbeat(&self, database: &Database) -> Result<()> {
        let mut tx = begin(database, HEARTBEAT).await?;
        let renewed = sqlx::query(include_str!("../../../sql/tenant-ops/heartbeat.sql"))
            .bind(&self.resource)
            .bind(self.fence)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("renewing the lease"))?;
        tx.commit().await?;
        if renewed.rows_affected() == 0 {
            return Err(self.lost());
        }
        Ok(())
    }

    /// Renews the lease until the answer is dropped.
    #[must_use]
    pub fn keep_alive(&self, database: &Database) -> Heartbeat {
        let (database, lease) = (database.clone(), self.clone());
        Heartbeat::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                // Nothing is done about a lost lease here: the next write sees that the fence has moved, and stops.
                let _ = lease.heartbeat(&database).await;
            }
        })
    }

    /// Locks the lease until the open transaction ends, so that a take-over waits for that. Fails where somebody has already taken
    /// it over.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]; [`Error::Database`].
    pub async fn fence(&self, connection: &mut PgConnection) -> Result<()> {
        let before = act(connection).await?;
        let held = sqlx::query("SELECT FROM tenant_ops.lease WHERE resource = $1 AND fence = $2 FOR KEY SHARE")
            .bind(&self.resource)
            .bind(self.fence)
            .fetch_optional(&mut *connection)
            .await
            .map_err(RlsError::query("checking the lease"))?;
        before.again(connection).await?;
        held.map(drop).ok_or_else(|| self.lost())
    }

    pub(crate) fn lost(&self) -> Error {
        Error::LeaseLost { resource: self.resource.clone() }
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// [`Error::Database`]; the lease runs out by itself then.
    pub async fn release(&self, database: &Database) -> Result<()> {
        let mut tx = begin(database, HEARTBEAT).await?;
        sqlx::query(include_str!("../../../sql/tenant-ops/release_lease.sql"))
            .bind(&self.resource)
            .bind(self.fence)
            .execute(tx.connection())
            .await
            .map_err(RlsError::query("giving the lease back"))?;
        Ok(tx.commit().await?)
    }
}

/// A task that gives heartbeats until this is dropped.
#[derive(Debug)]
pub struct Heartbeat(tokio::task::JoinHandle<()>);

impl Heartbeat {
    pub(crate) fn spawn(renewing: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(renewing))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}
