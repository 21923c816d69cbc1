//! Writes decisions in batches. A batch is retried after lock conflicts, and halved until only refused rows are left.

use std::collections::HashMap;
use std::time::Duration;

use tenancy_config::Tenancy;
use tenant_ops::{DecisionCall, DecisionResult, DecisionRun, Lease};
use tenant_rls::sqlstate::{RUN_NOT_RUNNING, WRITTEN_NOT_KEPT, WRITTEN_NOT_LOCKED};
use tenant_rls::{
    ActingRole, Backoff, BatchOptions, BatchTx, CATALOG_LOCK_TIMEOUT, Database, Error as RlsError, Fault, OwnerTx, Sql,
    TenantId, fault_of,
};

use crate::error::{Error, Result};
use crate::plan::BackfillPlan;
use crate::progress::BackfillEvent;
use crate::retry::BatchWaits;
use crate::review::file::Decision;

/// A decision whose tenant was found.
#[derive(Debug, Clone)]
pub(super) struct ReadyDecision<'a> {
    /// Its index among the lines of this transaction.
    pub(super) at: usize,
    pub(super) decision: &'a Decision,
    pub(super) tenant: TenantId,
}

/// The result of a decision.
#[derive(Debug)]
pub(super) enum DecisionOutcome {
    Verdict(DecisionResult),
    /// The table refused; the message of the server.
    Refused(String),
}

/// Where decisions are recorded.
pub(super) enum DecisionRecorder {
    Recorded {
        run: DecisionRun,
        lease: Lease,
    },
    /// A dry run: the record is made in each transaction and rolled back with it.
    DryRun,
}

/// Writes into one table as one role.
pub(super) struct Writer<'a> {
    pub(super) database: &'a Database,
    pub(super) tenancy: &'a Tenancy,
    pub(super) plan: BackfillPlan,
    pub(super) role: ActingRole,
    pub(super) recorder: DecisionRecorder,
    pub(super) judge: Sql,
    pub(super) write: Sql,
    pub(super) read_back: Sql,
}

impl Writer<'_> {
    /// Writes decisions and returns the result of each. A row that another transaction holds is retried for some
    /// seconds.
    ///
    /// # Errors
    /// Errors that are not about single rows, such as a lost lease, a missing right, or a server that does not come
    /// back; [`Error::Ended`] if an operator paused or cancelled the run.
    pub(super) async fn write(
        &self,
        ready: &[ReadyDecision<'_>],
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<(usize, DecisionOutcome)>> {
        let mut done = Vec::with_capacity(ready.len());
        let mut held = Backoff::new(Duration::from_millis(100), Duration::from_secs(1), 5);
        let mut waiting = ready.to_vec();
        loop {
            let last = self.halving(&waiting, progress).await?;
            waiting.clear();
            let wait = held.next_wait();
            for (place, outcome) in last {
                match outcome {
                    DecisionOutcome::Verdict(DecisionResult::Held) if wait.is_some() => {
                        waiting.extend(ready.iter().find(|ready| ready.at == place).cloned());
                    }
                    outcome => done.push((place, outcome)),
                }
            }
            match wait {
                Some(wait) if !waiting.is_empty() => tokio::time::sleep(wait).await,
                _ => return Ok(done),
            }
        }
    }

    /// Finds the runs that decided the same tenant earlier, for rows that have it already.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Ops`] if the journal cannot be read.
    pub(super) async fn decided_earlier<'a>(
        &self,
        ready: &[ReadyDecision<'_>],
        done: &'a [(usize, DecisionOutcome)],
    ) -> Result<HashMap<usize, i64>> {
        let assigned = |(at, done): &'a (usize, DecisionOutcome)| match done {
            DecisionOutcome::Verdict(DecisionResult::Assigned(tenant)) => Some((*at, tenant.as_str())),
            _ => None,
        };
        let has: HashMap<usize, &str> = done.iter().filter_map(assigned).collect();
        let same = |ready: &&ReadyDecision<'_>| has.get(&ready.at) == Some(&ready.tenant.as_str());
        let there: Vec<&ReadyDecision<'_>> = ready.iter().filter(same).collect();
        if there.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<&str> = there.iter().map(|ready| ready.decision.key.as_str()).collect();
        let tenants: Vec<&str> = there.iter().map(|ready| ready.tenant.as_str()).collect();
        let mut tx = OwnerTx::begin(self.database, CATALOG_LOCK_TIMEOUT).await?;
        let runs =
            tenant_ops::decided(tx.connection(), self.tenancy, &self.plan.table.to_string(), &keys, &tenants).await?;
        tx.rollback().await?;
        Ok(there.iter().zip(runs).filter_map(|(ready, run)| Some((ready.at, run?))).collect())
    }

    async fn halving(
        &self,
        ready: &[ReadyDecision<'_>],
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<(usize, DecisionOutcome)>> {
        let mut done = Vec::with_capacity(ready.len());
        let mut open = vec![ready];
        while let Some(batch) = open.pop().filter(|batch| !batch.is_empty()) {
            match self.attempt(batch, progress).await {
                Ok(verdicts) => {
                    done.extend(
                        batch.iter().map(|ready| ready.at).zip(verdicts.into_iter().map(DecisionOutcome::Verdict)),
                    );
                }
                Err(Error::Database(error)) if is_about_rows(&error) => match batch {
                    [one] => done.push((one.at, DecisionOutcome::Refused(words(&error)))),
                    several => {
                        let (first, second) = several.split_at(several.len() / 2);
                        open.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    async fn attempt(
        &self,
        batch: &[ReadyDecision<'_>],
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<DecisionResult>> {
        let mut waits = BatchWaits::new();
        loop {
            let error = match self.transaction(batch).await {
                Err(Error::Database(error)) => error,
                done => return done,
            };
            let wait = waits.after(&error);
            if let (Some(RUN_NOT_RUNNING), DecisionRecorder::Recorded { run, .. }) = (error.sqlstate(), &self.recorder)
            {
                return Err(Error::Ended { run: run.id });
            }
            let Some(wait) = wait else { return Err(error.into()) };
            if fault_of(&error) == Fault::Connection {
                progress(BackfillEvent::Reconnecting { error: error.to_string(), wait });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn transaction(&self, batch: &[ReadyDecision<'_>]) -> Result<Vec<DecisionResult>> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let done = self.in_transaction(&mut tx, batch).await;
        match (done, &self.recorder) {
            (Ok(verdicts), DecisionRecorder::Recorded { .. }) => {
                tx.commit().await?;
                Ok(verdicts)
            }
            (Ok(verdicts), DecisionRecorder::DryRun) => {
                tx.rollback().await?;
                Ok(verdicts)
            }
            (Err(error), _) => {
                // Without a rollback each half of a refused batch would need a new connection.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }

    async fn in_transaction(&self, tx: &mut BatchTx, batch: &[ReadyDecision<'_>]) -> Result<Vec<DecisionResult>> {
        let run = match &self.recorder {
            DecisionRecorder::Recorded { run, lease } => {
                lease.fence(tx.connection().await?).await?;
                *run
            }
            DecisionRecorder::DryRun => {
                tenant_ops::install_in(tx.connection().await?, self.tenancy).await?;
                DecisionRun::open_in(tx.connection().await?, &self.plan.table.to_string()).await?
            }
        };
        tx.assume(&self.role).await?;
        let call = DecisionCall {
            setting: &self.plan.setting,
            judge: &self.judge,
            write: &self.write,
            read_back: &self.read_back,
            keys: batch.iter().map(|ready| ready.decision.key.as_str()).collect(),
            tenants: batch.iter().map(|ready| ready.tenant.as_str()).collect(),
            fingerprints: batch.iter().map(|ready| ready.decision.fingerprint.as_str()).collect(),
        };
        Ok(run.batch(tx.connection().await?, &call).await?)
    }
}

/// Whether a smaller batch may succeed. [`WRITTEN_NOT_LOCKED`]: the number of written rows differs from the number of locked ones.
/// [`WRITTEN_NOT_KEPT`]: a trigger or a rule changed what was written.
fn is_about_rows(error: &RlsError) -> bool {
    matches!(error.sqlstate(), Some(WRITTEN_NOT_LOCKED | WRITTEN_NOT_KEPT))
        || matches!(fault_of(error), Fault::Data | Fault::Contention)
}

/// The message of the server, without what we were doing.
fn words(error: &RlsError) -> String {
    match error {
        RlsError::Query { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
