//! Makes memberships for users without one whose own tenant exists: in batches, tenant by tenant, each in that tenant's scope.

use std::sync::Mutex;

use tenancy_config::Tenancy;
use tenant_ops::{Lease, MakingRun};
use tenant_rls::{ActingRole, AuditTx, Database, visibility};
use tokio::sync::watch;

use crate::error::Result;
use crate::memberships::created::CreatedMemberships;
use crate::memberships::making::Making;
use crate::memberships::plan::MembershipPlan;
use crate::memberships::recorder::MembershipRecorder;
use crate::preflight::side_effects;
use crate::preflight::write::Write;
use crate::progress::{BackfillEvent, ProgressSink};

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

impl CreateMemberships<'_> {
    /// Makes them, or as many as are made when `stop` turns true. If the connection is lost, it goes on where it was.
    ///
    /// # Errors
    /// [`Error::Triggers`](crate::Error::Triggers) or [`Error::Rules`](crate::Error::Rules) if something would fire that `tenancy.toml` does not
    /// allow; [`tenant_rls::Error::CannotSee`] if no role is proven to see every user and membership; [`tenant_ops::Error::Held`] if a run works
    /// on the table; [`Error::Ended`](crate::Error::Ended) if an operator paused or cancelled the run;
    /// [`Error::Unsuitable`](crate::Error::Unsuitable) if a trigger gives a membership another tenant;
    /// [`Error::Database`](crate::Error::Database) if the table refuses a membership, or the server does not come back. What was committed stays.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<CreatedMemberships> {
        let Self { database, tenancy, plan, .. } = self;
        let login = ActingRole::Login(database.session().role.clone());
        side_effects::check(database, tenancy, (&plan.rows, Write::Insert), &login).await?;
        // Before anything is recorded: it tells whether the users can be seen.
        let readers = visibility::readers(database, tenancy)?;
        let audit = AuditTx::begin(database, &plan.access, &readers, None).await?;
        let recorder = if self.dry_run { MembershipRecorder::DryRun } else { self.open_recorder(progress).await? };
        progress(BackfillEvent::Making { table: plan.memberships_table.clone(), run: recorder.run() });
        let alive = recorder.keep_alive(database);
        let progress = &ProgressSink::from(Mutex::new(progress));
        let making = Making { database, tenancy, plan, recorder: &recorder, readers: &readers, stop, progress };
        let done = making.all(audit).await;
        drop(alive);
        recorder.end(database, done, progress).await
    }

    async fn open_recorder(&self, progress: &mut (dyn FnMut(BackfillEvent) + Send)) -> Result<MembershipRecorder> {
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(BackfillEvent::Waiting { holder: holder.to_owned() });
        let resource = tenant_ops::backfill_resource(&self.plan.memberships_table);
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        let run = MakingRun::resume_or_open(self.database, &self.plan.memberships_table).await?;
        let before = run.made(self.database).await?;
        Ok(MembershipRecorder::Recorded { run, lease, before })
    }
}
