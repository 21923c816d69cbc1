//! Runs steps: each in a transaction with its journal entry. It waits only briefly for a lock, and tries again after it has named the blockers.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tenancy_config::TableName;
use tenant_inventory::{Aspect, AspectKind, Definition, read_definitions, read_index};
use tenant_ops::{Lease, NewStep, Rollout};
use tenant_rls::{Backoff, Database, DirectConnection, Fault, OwnerTx, Sql, fault_of};
use tokio::sync::Mutex;

use crate::blocker::blockers;
use crate::error::{Error, Result};
use crate::journal::TableChanges;
use crate::journal::change::{Change, PENDING, changes_between};
use crate::options::LockRetry;
use crate::plan::step::{Execution, Lock, Statement, Step};
use crate::run::progress::RolloutEvent;

/// An autovacuum gives way to a waiter after `deadlock_timeout`, one second by default: a shorter wait never gets past it.
const OUTWAIT_AUTOVACUUM: Duration = Duration::from_millis(1500);

/// What each transaction of a step is set to.
const OF_STEP: &str = include_str!("../../../../sql/rls-rollout/in_step.sql");

/// The same for a step that takes an exclusive lock.
const OF_EXCLUSIVE_STEP: &str = concat!(
    include_str!("../../../../sql/rls-rollout/in_step.sql"),
    ";",
    include_str!("../../../../sql/rls-rollout/limit_exclusive_step.sql")
);

/// What a step's own statements run with: a foreign key is validated by a plan.
const WITH_SCANS: &str = "SET LOCAL enable_seqscan TO DEFAULT";

/// An index that is built concurrently waits for every older snapshot; a timeout would leave an invalid one.
const WITHOUT_LIMIT: &str = "SET lock_timeout = 0; SET statement_timeout = 0";

/// The same where nobody else gets the session. What is built is in the server's log after its journal entry.
const WITHOUT_LIMIT_IN_OWN_SESSION: &str =
    "SET lock_timeout = 0; SET statement_timeout = 0; SET synchronous_commit = off";

/// Runs the steps of one rollout.
pub(crate) struct Executor<'a> {
    pub(crate) database: &'a Database,
    pub(crate) lease: &'a Lease,
    pub(crate) rollout: Rollout,
    pub(crate) lock_retry: LockRetry,
    /// The session in which indexes are built and dropped, kept from one to the next.
    direct: Mutex<Option<DirectConnection>>,
}

/// Why a step runs, and what the journal must record for that.
pub(crate) enum StepPurpose<'a> {
    /// It rolls out.
    Forward,
    /// It takes steps back; it is not to be taken back itself.
    TakesBack {
        /// The steps, with the sum of their changes.
        recorded: &'a TableChanges,
        /// The definition that the statements were made from.
        planned: &'a Definition,
    },
}

impl StepPurpose<'_> {
    /// Refuses to take back a definition that somebody changed after the statements were made: they would undo something else.
    fn still_fits(&self, step: &Step, now: &Definition) -> Result<()> {
        let Self::TakesBack { recorded, planned } = self else { return Ok(()) };
        let concerns = |change: &&Change| match &step.how {
            Execution::Transaction | Execution::Backfill => change.aspect.kind != AspectKind::Index,
            Execution::Concurrently { index } => {
                change.aspect.kind == AspectKind::Index && change.aspect.name == *index
            }
        };
        let differs = |change: &&Change| now.get(&change.aspect) != planned.get(&change.aspect);
        match recorded.changes.iter().filter(concerns).find(differs) {
            Some(change) => Err(change.drifted(&step.table, now)),
            None => Ok(()),
        }
    }
}

impl<'a> Executor<'a> {
    /// What runs the steps of `rollout` under `lease`.
    pub(crate) fn new(database: &'a Database, lease: &'a Lease, rollout: Rollout, lock_retry: LockRetry) -> Self {
        Self { database, lease, rollout, lock_retry, direct: Mutex::new(None) }
    }

    /// Closes what was opened for the steps.
    pub(crate) async fn close(self) {
        if let Some(direct) = self.direct.into_inner() {
            direct.close().await;
        }
    }

    /// Runs a step, and returns how long its last attempt took.
    pub(crate) async fn run(
        &self,
        step: &Step,
        purpose: &StepPurpose<'_>,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<Duration> {
        progress(RolloutEvent::Step { table: step.table.clone(), phase: step.phase, step: step.name, lock: step.lock });
        let started = Instant::now();
        match &step.how {
            Execution::Transaction => return self.with_retries(step, purpose, progress).await,
            Execution::Concurrently { index } => self.concurrently(step, index, purpose).await?,
            // The engine does that, see `added.rs`.
            Execution::Backfill => {}
        }
        Ok(started.elapsed())
    }

    async fn with_retries(
        &self,
        step: &Step,
        purpose: &StepPurpose<'_>,
        progress: &mut (dyn FnMut(RolloutEvent) + Send),
    ) -> Result<Duration> {
        let mut backoff =
            Backoff::new(Duration::from_millis(250), Duration::from_secs(5), self.lock_retry.attempts.max(1) - 1);
        let (mut lock_timeout, mut outwaited) = (self.lock_retry.lock_timeout, false);
        if let Some(warm_up) = &step.warm_up {
            self.warm_up(warm_up).await?;
        }
        loop {
            let started = Instant::now();
            match self.transaction(step, purpose, lock_timeout).await {
                Ok(()) => return Ok(started.elapsed()),
                Err(Error::Database(error)) if fault_of(&error) == Fault::Contention => {}
                Err(error) => return Err(error),
            }
            let locked: Vec<&TableName> = std::iter::once(&step.table).chain(&step.also_locks).collect();
            let found = blockers(self.database, &locked).await?;
            let Some(wait) = backoff.next_wait() else {
                let (table, step) = (step.table.clone(), step.name);
                return Err(Error::Blocked { table, step, attempts: self.lock_retry.attempts, blockers: found });
            };
            // Only once: an autovacuum that does not give way then will not later, and others wait behind it.
            let outwait = !outwaited && found.iter().any(|blocker| blocker.autovacuum);
            outwaited |= outwait;
            lock_timeout = if outwait { lock_timeout.max(OUTWAIT_AUTOVACUUM) } else { self.lock_retry.lock_timeout };
            let table = step.table.clone();
            progress(RolloutEvent::Waiting { table, step: step.name, blockers: found, wait, lock_timeout });
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads what a later statement will read under a lock, so that it meets no dead index entries there. It decides nothing.
    async fn warm_up(&self, probe: &Sql) -> Result<()> {
        let mut tx = OwnerTx::begin(self.database, self.lock_retry.lock_timeout).await?;
        const WITHOUT_SCANS: &str = "SET LOCAL enable_seqscan = off";
        // A login that is filtered gets an error here; the next statement reports a lock that is in the way.
        if tx.run_script("warming up", WITHOUT_SCANS).await.is_ok() {
            let _ = tx.run("warming up", probe).await;
        }
        let _ = tx.rollback().await;
        Ok(())
    }

    async fn transaction(&self, step: &Step, purpose: &StepPurpose<'_>, lock_timeout: Duration) -> Result<()> {
        let settings = if step.lock == Lock::AccessExclusive { OF_EXCLUSIVE_STEP } else { OF_STEP };
        let (lock, statements) = step.lock_and_rest();
        let mut tx = match lock {
            Some(lock) => {
                OwnerTx::begin_locking(self.database, lock_timeout, settings, &doing(step), &lock.sql).await?
            }
            None => OwnerTx::begin_with(self.database, lock_timeout, settings).await?,
        };
        let done = self.in_transaction(&mut tx, step, statements, purpose).await;
        match done {
            Ok(()) => Ok(tx.commit().await?),
            Err(error) => {
                // Dropping it would do as well, but cost a new connection for each attempt.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }

    /// Runs the statements between two readings of the definition. The journal entry checks the fence of the lease: the transaction of a holder
    /// that lost it is never committed.
    async fn in_transaction(
        &self,
        tx: &mut OwnerTx,
        step: &Step,
        statements: &[Statement],
        purpose: &StepPurpose<'_>,
    ) -> Result<()> {
        let before = definition(tx.connection(), step).await?;
        purpose.still_fits(step, &before)?;
        let statements = statements.iter().map(|statement| &statement.sql);
        tx.run_all(&doing(step), [&Sql::from_static(WITH_SCANS)].into_iter().chain(statements)).await?;
        let after = definition(tx.connection(), step).await?;
        let changes = changes_between(&before, &after);
        let entry = self.record(tx.connection(), step, &changes).await?;
        if let StepPurpose::TakesBack { recorded, .. } = purpose {
            let steps: Vec<i64> = recorded.steps.iter().copied().chain([entry]).collect();
            self.rollout.undo(tx.connection(), &steps).await?;
        }
        Ok(())
    }

    async fn record(&self, connection: &mut PgConnection, step: &Step, changes: &[Change]) -> Result<i64> {
        let statements = step.statements.iter().map(|statement| statement.sql.as_str()).collect();
        let new = NewStep { table: &step.table, phase: step.phase.as_str(), step: step.name, statements, changes };
        Ok(self.rollout.record(connection, self.lease, &new).await?)
    }

    /// Records the index in the journal, builds or drops it, and completes the entry, so that a later run knows if this one is killed in between.
    async fn concurrently(&self, step: &Step, index: &str, purpose: &StepPurpose<'_>) -> Result<()> {
        let aspect = Aspect::named(AspectKind::Index, index);
        let mut tx = OwnerTx::begin_with(self.database, self.lock_retry.lock_timeout, OF_STEP).await?;
        let before = read_index(tx.connection(), &step.table, step.column.as_str(), index).await?;
        purpose.still_fits(step, &before)?;
        let text = |definition: &Definition| {
            // Nobody wants an invalid index back.
            definition.get(&aspect).filter(|text| !text.starts_with("INVALID ")).map(str::to_owned)
        };
        let pending = Change { aspect: aspect.clone(), before: text(&before), after: Some(PENDING.to_owned()) };
        let entry = self.record(tx.connection(), step, std::slice::from_ref(&pending)).await?;
        tx.commit().await?;

        self.beside_transactions(step).await?;

        let mut tx = OwnerTx::begin_with(self.database, self.lock_retry.lock_timeout, OF_STEP).await?;
        let after = read_index(tx.connection(), &step.table, step.column.as_str(), index).await?;
        let change = Change { after: text(&after), ..pending };
        self.rollout.complete(tx.connection(), entry, std::slice::from_ref(&change)).await?;
        if let StepPurpose::TakesBack { .. } = purpose {
            self.rollout.undo(tx.connection(), &[entry]).await?;
        }
        Ok(tx.commit().await?)
    }
}

impl Executor<'_> {
    /// Runs the statements of a step one by one, outside of transactions, in a session that the next step takes over.
    async fn beside_transactions(&self, step: &Step) -> Result<()> {
        let mut kept = self.direct.lock().await;
        let mut session = match kept.take() {
            Some(session) => session,
            None => self.open_direct().await?,
        };
        // A session in which something failed is not kept.
        for statement in &step.statements {
            session.run_script(&doing(step), &statement.sql).await?;
        }
        if self.database.connections_are_few() {
            session.close().await;
        } else {
            *kept = Some(session);
        }
        Ok(())
    }

    async fn open_direct(&self) -> Result<DirectConnection> {
        let mut session = DirectConnection::beside(self.database).await?;
        let settings = if self.database.is_direct() { WITHOUT_LIMIT_IN_OWN_SESSION } else { WITHOUT_LIMIT };
        session.run_script("waiting without limit", settings).await?;
        Ok(session)
    }
}

/// Whether this session can change definitions at all.
pub(crate) fn ddl_is_possible(database: &Database) -> Result<()> {
    let session = database.session();
    if session.in_recovery {
        return Err(Error::Standby);
    }
    if session.read_only {
        return Err(Error::ReadOnly);
    }
    Ok(())
}

async fn definition(connection: &mut PgConnection, step: &Step) -> Result<Definition> {
    let mut definitions = read_definitions(connection, &[(&step.table, step.column.as_str())]).await?;
    Ok(definitions.pop().unwrap_or_default())
}

fn doing(step: &Step) -> String {
    format!("{}: {}", step.table, step.name)
}
