//! The work itself: reads the users without a membership, and makes theirs chunk by chunk, whatever happens to the connection.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use tenancy_config::Tenancy;
use tenant_rls::{
    ActingRole, AuditTx, BatchOptions, BatchTx, Database, Error as RlsError, Fault, Registry, TenantId, fault_of,
};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::memberships::created::CreatedMemberships;
use crate::memberships::plan::MembershipPlan;
use crate::memberships::recorder::MembershipRecorder;
use crate::progress::{BackfillEvent, ProgressSink, send};
use crate::retry::{BatchWaits, retry_lost_connection};
use crate::unsuitable::Unsuitable;

/// The most users of one transaction.
const USERS: usize = 500;

/// How often a chunk waits for locks: it is not made smaller.
const LOCK_TRIES: u32 = 6;

/// The users of one transaction, by their tenants.
type Chunk = BTreeMap<String, Vec<String>>;

/// Memberships that are being made.
pub(crate) struct Making<'a, 'p> {
    pub(crate) database: &'a Database,
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) plan: &'a MembershipPlan,
    pub(crate) recorder: &'a MembershipRecorder,
    /// Who may see every user and membership.
    pub(crate) readers: &'a [ActingRole],
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) progress: &'a ProgressSink<'p>,
}

/// How a pass over the users ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PassEnd {
    /// Every user that it read has a membership.
    Over,
    /// A connection was lost, so there may be more users.
    Again,
    /// The operator stopped it.
    Stopped,
}

/// Why a transaction failed.
struct ChunkFailure {
    error: Error,
    /// What is known if it failed in its commit.
    unsure: Option<Unsure>,
}

/// A commit of which nobody knows whether the server did it.
#[derive(Clone, Copy)]
struct Unsure {
    /// What the run had made before.
    before: u64,
    /// What the transaction made.
    made: u64,
}

impl From<Error> for ChunkFailure {
    fn from(error: Error) -> Self {
        Self { error, unsure: None }
    }
}

impl From<RlsError> for ChunkFailure {
    fn from(error: RlsError) -> Self {
        Error::from(error).into()
    }
}

impl From<tenant_ops::Error> for ChunkFailure {
    fn from(error: tenant_ops::Error) -> Self {
        Error::from(error).into()
    }
}

impl Making<'_, '_> {
    /// Passes over the users, the first time in `audit`, until a pass loses no connection.
    pub(crate) async fn all(&self, audit: AuditTx) -> Result<CreatedMemberships> {
        let dry_run = self.recorder.run().is_none();
        let (mut audit, mut waits) = (audit, BatchWaits::new());
        let mut done = CreatedMemberships::nothing(self.plan, dry_run);
        loop {
            match self.pass(audit, &mut done, &mut waits).await? {
                PassEnd::Over => return Ok(done),
                PassEnd::Stopped => return Ok(CreatedMemberships { stopped: true, ..done }),
                // Nothing was kept: the next pass reads the same users.
                PassEnd::Again if dry_run => done = CreatedMemberships::nothing(self.plan, dry_run),
                PassEnd::Again => {}
            }
            let again = async || Ok(AuditTx::begin(self.database, &self.plan.access, self.readers, None).await?);
            audit = retry_lost_connection(self.progress, again).await?;
        }
    }

    /// Reads the users in one snapshot, and makes their memberships.
    async fn pass(&self, mut audit: AuditTx, done: &mut CreatedMemberships, waits: &mut BatchWaits) -> Result<PassEnd> {
        let mut lost = false;
        let mut users = sqlx::query(&self.plan.users).fetch(audit.connection());
        loop {
            let (chunk, asked) = match next(&mut users).await {
                Ok((_, 0)) => break,
                Ok(read) => read,
                Err(error) => {
                    self.wait(waits, error).await?;
                    return Ok(PassEnd::Again);
                }
            };
            if *self.stop.borrow() {
                return Ok(PassEnd::Stopped);
            }
            let made = self.chunk(&chunk, &mut lost).await?;
            if made > 0 && !done.dry_run {
                *waits = BatchWaits::new();
            }
            done.made += made;
            done.left += asked - made;
            send(self.progress, BackfillEvent::Batch { examined: done.made + done.left, assigned: done.made });
        }
        drop(users);
        // Every user was read. If its connection is lost now, the snapshot ends all the same.
        let _ = audit.close().await;
        // A server that crashes forgets commits that it confirmed last.
        Ok(if lost { PassEnd::Again } else { PassEnd::Over })
    }

    /// Waits before something is tried again, or fails if that is no use.
    async fn wait(&self, waits: &mut BatchWaits, error: RlsError) -> Result<()> {
        let Some(wait) = waits.after(&error) else { return Err(error.into()) };
        if fault_of(&error) == Fault::Connection {
            send(self.progress, BackfillEvent::Reconnecting { error: error.to_string(), wait });
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Makes the memberships of one transaction. It waits for a lost server, and for locks that others hold.
    async fn chunk(&self, chunk: &Chunk, lost: &mut bool) -> Result<u64> {
        let (mut waits, mut unsure) = (BatchWaits::trying_locks(LOCK_TRIES), None);
        loop {
            let failure = match self.transaction(chunk, unsure).await {
                Ok(made) => return Ok(made),
                Err(failure) => failure,
            };
            unsure = failure.unsure.or(unsure);
            let (Error::Database(error) | Error::Ops(tenant_ops::Error::Database(error))) = failure.error else {
                return Err(failure.error);
            };
            *lost |= fault_of(&error) == Fault::Connection;
            self.wait(&mut waits, error).await?;
        }
    }

    /// The tenants of a chunk, as the tenant table has them.
    async fn tenants(&self, chunk: &Chunk) -> Result<Vec<TenantId>> {
        let names: BTreeSet<&str> = chunk.keys().map(String::as_str).collect();
        let mut registry = Registry::open(self.database, self.tenancy).await?;
        let found = registry.find_all(&names.into_iter().collect::<Vec<_>>()).await?;
        registry.close().await?;
        // A tenant that was deleted meanwhile gets no membership.
        let there = found.into_iter().filter(|found| !matches!(found, Err(RlsError::UnknownTenant { .. })));
        Ok(there.map(|found| Ok(found?.id)).collect::<Result<_, RlsError>>()?)
    }

    async fn transaction(&self, chunk: &Chunk, unsure: Option<Unsure>) -> Result<u64, ChunkFailure> {
        let tenants = self.tenants(chunk).await?;
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let before = self.made_before(&mut tx).await?;
        if let Some(unsure) = unsure.filter(|unsure| before >= unsure.before + unsure.made) {
            tx.rollback().await?;
            return Ok(unsure.made);
        }
        let mut made = 0;
        for tenant in &tenants {
            let Some(users) = chunk.get(tenant.as_str()) else { continue };
            let row_keys = self.of_tenant(&mut tx, tenant, users).await?;
            made += row_keys.len() as u64;
            if let MembershipRecorder::Recorded { run, .. } = self.recorder
                && !row_keys.is_empty()
                && !run.record(tx.connection().await?, tenant.as_str(), &row_keys).await?
            {
                tx.rollback().await?;
                return Err(Error::Ended { run: run.id }.into());
            }
        }
        match self.recorder {
            MembershipRecorder::Recorded { .. } => tx
                .commit()
                .await
                .map_err(|error| ChunkFailure { error: error.into(), unsure: Some(Unsure { before, made }) })?,
            MembershipRecorder::DryRun => tx.rollback().await?,
        }
        Ok(made)
    }

    /// What the run has made so far. A transaction that lost its connection and that the server has not ended yet is waited for: what it makes
    /// would be made twice otherwise.
    async fn made_before(&self, tx: &mut BatchTx) -> Result<u64, ChunkFailure> {
        let MembershipRecorder::Recorded { run, lease, .. } = self.recorder else { return Ok(0) };
        lease.fence(tx.connection().await?).await?;
        let made = run.lock(tx.connection().await?).await?;
        Ok(made.ok_or(Error::Ended { run: run.id })?)
    }

    /// Makes the memberships of one tenant, and returns their keys.
    async fn of_tenant(&self, tx: &mut BatchTx, tenant: &TenantId, users: &[String]) -> Result<Vec<String>> {
        let doing = || RlsError::query(format!("making memberships of the tenant {tenant}"));
        let mut scope = tx.tenant(tenant).await?;
        let rows = sqlx::query(&self.plan.insert)
            .bind(Json(self.plan.records(users, tenant.as_str())))
            .fetch_all(scope.connection())
            .await
            .map_err(doing())?;
        // What the application deferred to the end of the transaction expects its path and the scope, too.
        sqlx::query("SET CONSTRAINTS ALL IMMEDIATE").execute(scope.connection()).await.map_err(doing())?;
        if rows.iter().any(|row| row.get::<Option<String>, _>("tenant").as_deref() != Some(tenant.as_str())) {
            let table = self.plan.memberships_table.clone();
            let why = Unsuitable::TriggerChangesTenant { tenant: tenant.to_string() };
            return Err(Error::Unsuitable { table, why: Box::new(why) });
        }
        Ok(rows.iter().map(|row| row.get("row_key")).collect())
    }
}

/// The users of the next transaction, and how many they are.
async fn next(users: &mut BoxStream<'_, sqlx::Result<PgRow>>) -> Result<(Chunk, u64), RlsError> {
    let (mut chunk, mut asked) = (Chunk::new(), 0);
    while asked < USERS
        && let Some(row) = users.try_next().await.map_err(RlsError::query("reading the users without a membership"))?
    {
        chunk.entry(row.get("tenant")).or_default().push(row.get("user_key"));
        asked += 1;
    }
    Ok((chunk, asked as u64))
}
