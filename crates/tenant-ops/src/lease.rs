//! Leases with heartbeat and fencing: a row, not a session lock, so that a pooler between does not matter.

use std::time::Duration;

use sqlx::PgConnection;
use tenant_rls::{Database, Error as RlsError};

use crate::error::{Error, Result};
use crate::owner::{act, begin};

/// A lease whose holder gave no heartbeat for this long may be taken over, by whoever watched it meanwhile.
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
            return Err(Error::LeaseLost { resource: self.resource.clone() });
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

    /// Holds the lease still until the open transaction ends: whoever takes it over waits for that, and where somebody has
    /// taken it over already, nothing is written.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn fence(&self, connection: &mut PgConnection) -> Result<()> {
        let before = act(connection).await?;
        let held = sqlx::query("SELECT FROM tenant_ops.lease WHERE resource = $1 AND fence = $2 FOR KEY SHARE")
            .bind(&self.resource)
            .bind(self.fence)
            .fetch_optional(&mut *connection)
            .await
            .map_err(RlsError::query("checking the lease"))?;
        before.again(connection).await?;
        held.map(drop).ok_or_else(|| Error::LeaseLost { resource: self.resource.clone() })
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
