//! Makes memberships for users without one whose own tenant exists: in batches, tenant by tenant, each in that tenant's scope.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde::Serialize;
use sqlx::Row;
use sqlx::types::Json;
use tenancy_config::{TableName, Tenancy};
use tenant_ops::{Lease, MakingRun};
use tenant_rls::{
    ActingRole, AuditTx, Backoff, BatchOptions, BatchTx, Database, Error as RlsError, Fault, Registry, TenantId,
    fault_of, visibility,
};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::memberships::plan::MembershipPlan;
use crate::preflight::side_effects;
use crate::preflight::write::Write;
use crate::progress::BackfillEvent;

/// The most users of one transaction.
const USERS: usize = 500;

/// What is to be made, and how.
#[derive(Debug, Clone, Copy)]
pub struct CreateMemberships<'a> {
    /// The database.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The tables and values.
    pub plan: &'a MembershipPlan,
    /// Do everything except the commit.
    pub dry_run: bool,
    /// The operator, as others see them in the lease.
    pub holder: &'a str,
}

/// What was made. The JSON shape is `backfill-memberships-create/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreatedMemberships {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// The run; none for a dry run, or if there was nothing to do.
    pub run: Option<i64>,
    /// The table of the memberships.
    pub memberships_table: TableName,
    /// The table of the users.
    pub users_table: TableName,
    /// Nothing was kept.
    pub dry_run: bool,
    /// The operator stopped it; the same command goes on.
    pub stopped: bool,
    /// Memberships that were made.
    pub made: u64,
    /// Users who got a membership from somebody else in between.
    pub left: u64,
}

impl CreatedMemberships {
    /// What is said where no user lacks one.
    pub fn nothing(plan: &MembershipPlan, dry_run: bool) -> Self {
        Self {
            schema: "backfill-memberships-create/1",
            run: None,
            memberships_table: plan.memberships_table.clone(),
            users_table: plan.users_table.clone(),
            dry_run,
            stopped: false,
            made: 0,
            left: 0,
        }
    }
}

/// Where memberships are recorded.
enum Recorder {
    Recorded { run: MakingRun, lease: Lease },
    DryRun,
}

/// The users of one transaction, by their tenants.
type Chunk = BTreeMap<String, Vec<String>>;

impl CreateMemberships<'_> {
    /// Makes them, or as many as are made when `stop` turns true.
    ///
    /// # Errors
    /// [`Error::Triggers`] or [`Error::Rules`] if something would fire that `tenancy.toml` does not allow;
    /// [`RlsError::CannotSee`] if no role is proven to see every user and membership; [`tenant_ops::Error::Held`] if a run works on
    /// the table; [`Error::Ended`] if an operator paused or cancelled the run; [`Error::Unsuitable`] if a trigger gives a membership
    /// another tenant; [`Error::Database`] if the table refuses a membership. What was committed stays.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<CreatedMemberships> {
        let Self { database, tenancy, plan, .. } = self;
        let login = ActingRole::Login(database.session().role.clone());
        side_effects::check(database, tenancy, (&plan.rows, Write::Insert), &login).await?;
        let readers = visibility::readers(database, tenancy)?;
        let mut audit = AuditTx::begin(database, &plan.access, &readers, None).await?;
        let recorder = if self.dry_run { Recorder::DryRun } else { self.open_recorder(progress).await? };
        let run = match &recorder {
            Recorder::Recorded { run, .. } => Some(run.id),
            Recorder::DryRun => None,
        };
        progress(BackfillEvent::Making { table: plan.memberships_table.clone(), run });
        let alive = match &recorder {
            Recorder::Recorded { lease, .. } => Some(lease.keep_alive(database)),
            Recorder::DryRun => None,
        };
        let done = self.make(&mut audit, &recorder, &stop, progress).await;
        drop(alive);
        let mut run = None;
        if let Recorder::Recorded { run: recorded, lease } = &recorder {
            let finished = done.as_ref().is_ok_and(|done| !done.stopped);
            // Errors are ignored: the lease expires, and the run is continued later.
            run = recorded.end(database, finished).await.unwrap_or(true).then_some(recorded.id);
            let _ = lease.release(database).await;
        }
        let done = done?;
        audit.close().await?;
        Ok(CreatedMemberships { run, ..done })
    }

    async fn open_recorder(&self, progress: &mut (dyn FnMut(BackfillEvent) + Send)) -> Result<Recorder> {
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(BackfillEvent::Waiting { holder: holder.to_owned() });
        let resource = tenant_ops::backfill_resource(&self.plan.memberships_table);
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        let run = MakingRun::resume_or_open(self.database, &self.plan.memberships_table).await?;
        Ok(Recorder::Recorded { run, lease })
    }

    /// Reads the users, and makes their memberships chunk by chunk.
    async fn make(
        &self,
        audit: &mut AuditTx,
        recorder: &Recorder,
        stop: &watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<CreatedMemberships> {
        let mut done = CreatedMemberships::nothing(self.plan, self.dry_run);
        let reading = || RlsError::query("reading the users without a membership");
        let mut users = sqlx::query(&self.plan.users).fetch(audit.connection());
        loop {
            let (mut chunk, mut asked) = (Chunk::new(), 0);
            while asked < USERS
                && let Some(row) = users.try_next().await.map_err(reading())?
            {
                chunk.entry(row.get("tenant")).or_default().push(row.get("user_key"));
                asked += 1;
            }
            if asked == 0 {
                return Ok(done);
            }
            if *stop.borrow() {
                return Ok(CreatedMemberships { stopped: true, ..done });
            }
            let made = self.chunk(recorder, &chunk).await?;
            done.made += made;
            done.left += asked as u64 - made;
            progress(BackfillEvent::Batch { examined: done.made + done.left, assigned: done.made });
        }
    }

    /// Makes the memberships of one transaction. One that waits for a lock in vain is tried again.
    async fn chunk(&self, recorder: &Recorder, chunk: &Chunk) -> Result<u64> {
        let tenants = self.tenants(chunk).await?;
        let mut waits = Backoff::new(Duration::from_millis(50), Duration::from_secs(1), 6);
        loop {
            let error = match self.transaction(recorder, chunk, &tenants).await {
                Err(Error::Database(error)) if fault_of(&error) == Fault::Contention => error,
                done => return done,
            };
            let Some(wait) = waits.next_wait() else { return Err(error.into()) };
            tokio::time::sleep(wait).await;
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

    async fn transaction(&self, recorder: &Recorder, chunk: &Chunk, tenants: &[TenantId]) -> Result<u64> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        if let Recorder::Recorded { lease, .. } = recorder {
            lease.fence(tx.connection().await?).await?;
        }
        let mut made = 0;
        for tenant in tenants {
            let Some(users) = chunk.get(tenant.as_str()) else { continue };
            let row_keys = self.of_tenant(&mut tx, tenant, users).await?;
            made += row_keys.len() as u64;
            if let Recorder::Recorded { run, .. } = recorder
                && !row_keys.is_empty()
                && !run.record(tx.connection().await?, tenant.as_str(), &row_keys).await?
            {
                tx.rollback().await?;
                return Err(Error::Ended { run: run.id });
            }
        }
        match recorder {
            Recorder::Recorded { .. } => tx.commit().await?,
            Recorder::DryRun => tx.rollback().await?,
        }
        Ok(made)
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
            let why = format!("a trigger gives a membership of the tenant {tenant} another tenant");
            return Err(Error::Unsuitable { table, why });
        }
        Ok(rows.iter().map(|row| row.get("row_key")).collect())
    }
}
