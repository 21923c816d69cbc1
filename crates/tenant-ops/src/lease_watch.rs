//! Taking a lease, and watching whether its holder is alive: heartbeats are counted, and the time without one is measured by this
//! process. The server's clock is not used, as it can be set back or forward meanwhile.

use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use sqlx::{PgConnection, Row};
use tenant_rls::{Backoff, Database, Error as RlsError, retry_locks};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::lease::{LEASE_TTL, Lease};
use crate::owner::begin;

/// What this process has seen of a lease that somebody else holds.
#[derive(Debug)]
pub struct LeaseWatch {
    resource: String,
    seen: Option<LastHeartbeat>,
}

/// The last heartbeat that was seen, and since when there was no other.
#[derive(Debug, Clone, Copy)]
struct LastHeartbeat {
    beat: Beat,
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Beat {
    fence: i64,
    heartbeats: i64,
}

/// Who holds a lease.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) holder: String,
    pub(crate) since: DateTime<Utc>,
    beat: Beat,
}

/// The result of trying to take a lease.
#[derive(Debug)]
pub(crate) enum LeaseAttempt {
    Taken(Lease),
    /// Somebody has it, and gave no heartbeat while this process watched.
    Watched(Holder),
    /// Somebody has it, and gave a heartbeat, or just took it.
    Alive(Holder),
}

impl LeaseWatch {
    /// Begins to watch the lease on `resource`.
    pub fn new(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), seen: None }
    }

    /// Takes the lease if nobody holds it, or if the calls of this have seen no heartbeat of its holder for [`LEASE_TTL`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn try_acquire(&mut self, database: &Database, holder: &str) -> Result<Option<Lease>> {
        match self.attempt(database, holder).await? {
            LeaseAttempt::Taken(lease) => Ok(Some(lease)),
            LeaseAttempt::Watched(_) | LeaseAttempt::Alive(_) => Ok(None),
        }
    }

    pub(crate) async fn attempt(&mut self, database: &Database, holder: &str) -> Result<LeaseAttempt> {
        let silent = self.seen.filter(|seen| seen.since.elapsed() >= LEASE_TTL).map(|seen| seen.beat);
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 8);
        let current = retry_locks(backoff, async || {
            let mut tx = begin(database, Duration::from_secs(2)).await?;
            let outcome = match acquire(tx.connection(), &self.resource, holder, silent).await? {
                Some(fence) => Ok(Lease { resource: self.resource.clone(), fence }),
                None => Err(Holder::read(tx.connection(), &self.resource).await?),
            };
            tx.commit().await?;
            Ok(outcome)
        })
        .await?;
        Ok(match current {
            Ok(lease) => LeaseAttempt::Taken(lease),
            Err(current) if self.gave_a_heartbeat(current.beat) => LeaseAttempt::Alive(current),
            Err(current) => LeaseAttempt::Watched(current),
        })
    }

    /// Whether a heartbeat was given since this was last asked. The first answer is always no.
    fn gave_a_heartbeat(&mut self, beat: Beat) -> bool {
        let first = self.seen.is_none();
        if self.seen.is_some_and(|seen| seen.beat == beat) {
            return false;
        }
        self.seen = Some(LastHeartbeat { beat, since: Instant::now() });
        !first
    }
}

impl Lease {
    /// Takes the lease. If somebody has it, waits to see whether they are alive: a lease whose holder gives no heartbeat for
    /// [`LEASE_TTL`] is taken over. `waiting` gets the holder's name once, when the wait begins.
    ///
    /// # Errors
    /// [`Error::Held`] where its holder is alive; [`Error::Database`].
    pub async fn acquire(
        database: &Database,
        resource: &str,
        holder: &str,
        waiting: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self> {
        let mut watch = LeaseWatch::new(resource);
        let mut named = false;
        loop {
            match watch.attempt(database, holder).await? {
                LeaseAttempt::Taken(lease) => return Ok(lease),
                LeaseAttempt::Alive(current) => {
                    let (resource, since) = (resource.to_owned(), current.since.with_timezone(&Local));
                    return Err(Error::Held { resource, holder: current.holder, since });
                }
                LeaseAttempt::Watched(current) => {
                    if !std::mem::replace(&mut named, true) {
                        waiting(&current.holder);
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }
}

async fn acquire(
    connection: &mut PgConnection,
    resource: &str,
    holder: &str,
    silent: Option<Beat>,
) -> Result<Option<i64>, RlsError> {
    sqlx::query(include_str!("../../../sql/tenant-ops/open_lease.sql"))
        .bind(resource)
        .execute(&mut *connection)
        .await
        .map_err(RlsError::query("taking the lease"))?;
    sqlx::query_scalar(include_str!("../../../sql/tenant-ops/acquire_lease.sql"))
        .bind(resource)
        .bind(holder)
        .bind(silent.map(|beat| beat.fence))
        .bind(silent.map(|beat| beat.heartbeats))
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("taking the lease"))
}

impl Holder {
    async fn read(connection: &mut PgConnection, resource: &str) -> Result<Self, RlsError> {
        let row = sqlx::query(include_str!("../../../sql/tenant-ops/lease_holder.sql"))
            .bind(resource)
            .fetch_one(connection)
            .await
            .map_err(RlsError::query("asking who holds the lease"))?;
        let beat = Beat { fence: row.get("fence"), heartbeats: row.get("heartbeats") };
        Ok(Self { holder: row.get("holder"), since: row.get("acquired_at"), beat })
    }
}
