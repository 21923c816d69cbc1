//! Writes decisions, in batches: tried again where somebody was in the way, halved where a row refuses, down to the one that does.

use std::collections::HashMap;
use std::time::Duration;

use tenancy_config::Tenancy;
use tenant_ops::{DecisionCall, DecisionResult, DecisionRun, Lease};
use tenant_rls::sqlstate::{RUN_NOT_RUNNING, WRITTEN_NOT_LOCKED};
use tenant_rls::{
    ActingRole, Backoff, BatchOptions, BatchTx, Database, Error as RlsError, Fault, OwnerTx, Sql, Template, TenantId,
    fault_of,
};

use crate::parts::{Resolution, list};
use crate::review::Decision;
use crate::steady::reconnect;
use crate::undo::by_key;
use crate::{BackfillEvent, BackfillPlan, Error, Result};

/// A decision whose tenant was found.
#[derive(Debug, Clone)]
pub(super) struct ReadyDecision<'a> {
    /// Its place among the lines that are worked on.
    pub(super) at: usize,
    pub(super) asked: &'a Decision,
    pub(super) tenant: TenantId,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum DecisionOutcome {
    Verdict(DecisionResult),
    /// The table refused, with the server's words.
    Refused(String),
}

/// Whose books are kept.
pub(super) enum Books {
    Kept {
        run: DecisionRun,
        lease: Lease,
    },
    /// Of a dry run: made in each transaction, and taken back with it.
    Dry,
}

/// Writes into one table as one role.
pub(super) struct Writer<'a> {
    pub(super) database: &'a Database,
    pub(super) tenancy: &'a Tenancy,
    pub(super) plan: BackfillPlan,
    pub(super) role: ActingRole,
    pub(super) books: Books,
    pub(super) judge: Sql,
    pub(super) write: Sql,
}

/// The statement that judges and locks, and the one that writes.
pub(super) fn statements(plan: &BackfillPlan) -> Result<(Sql, Sql)> {
    let parts = Resolution::of(plan)?;
    // Evidence is not asked: people have decided what it could not.
    let sources = plan.sources.len();
    let judge = Template::new(include_str!("../../../../sql/backfill/judge.sql"))
        .fragment("whole", plan.whole())
        .table("tenants", &plan.tenants)
        .ident("tenant_key", &plan.tenant_key)
        .fragment("key_text", plan.key.text())
        .fragment("key_is_one_of", plan.key.is_one_of())
        .ident("column", &plan.column)
        .fragment("type", Sql::from_static(plan.column_type.cast()))
        .fragment("vias", list(&parts.vias))
        .fragment("seen", parts.seen())
        .fragment("said", list(&parts.tenants[..sources]))
        .fragment("ghosts", list(&parts.ghosts))
        .fragment("joins", Sql::join(parts.joins[..sources].iter().cloned(), "\n"))
        .fragment("fingerprint", parts.fingerprint())
        .build();
    Ok((judge, by_key(include_str!("../../../../sql/backfill/decide.sql"), plan)))
}

impl Writer<'_> {
    /// Writes what can be written, and tells for each decision what came of it. A row that somebody else holds is tried again for
    /// some seconds.
    ///
    /// # Errors
    /// Those that are not about single rows: a lost lease, a missing right, a server that does not come back.
    pub(super) async fn write(
        &self,
        ready: &[ReadyDecision<'_>],
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<(usize, DecisionOutcome)>> {
        let mut done = Vec::with_capacity(ready.len());
        let mut patience = Backoff::new(Duration::from_millis(100), Duration::from_secs(1), 5);
        let mut waiting = ready.to_vec();
        loop {
            let last = self.halving(&waiting, progress).await?;
            waiting.clear();
            let wait = patience.next_wait();
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

    /// Of the rows that turned out to have the very tenant: by which run it was decided for them, for those that it was.
    ///
    /// # Errors
    /// [`Error::Database`].
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
        let keys: Vec<&str> = there.iter().map(|ready| ready.asked.key.as_str()).collect();
        let tenants: Vec<&str> = there.iter().map(|ready| ready.tenant.as_str()).collect();
        let mut tx = OwnerTx::begin(self.database, Duration::from_secs(5)).await?;
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
        let mut parts = vec![ready];
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            match self.attempt(part, progress).await {
                Ok(verdicts) => {
                    done.extend(
                        part.iter().map(|ready| ready.at).zip(verdicts.into_iter().map(DecisionOutcome::Verdict)),
                    );
                }
                Err(Error::Database(error)) if is_about_rows(&error) => match part {
                    [one] => done.push((one.at, DecisionOutcome::Refused(words(&error)))),
                    several => {
                        let (first, second) = several.split_at(several.len() / 2);
                        parts.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    async fn attempt(
        &self,
        part: &[ReadyDecision<'_>],
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<DecisionResult>> {
        let mut contention = Backoff::new(Duration::from_millis(50), Duration::from_secs(1), 4);
        let mut connection = reconnect();
        loop {
            let error = match self.transaction(part).await {
                Err(Error::Database(error)) => error,
                done => return done,
            };
            let wait = match fault_of(&error) {
                Fault::Contention => contention.next_wait(),
                Fault::Connection => connection.next_wait(),
                _ => None,
            };
            if let (Some(RUN_NOT_RUNNING), Books::Kept { run, .. }) = (error.sqlstate(), &self.books) {
                return Err(Error::Ended { run: run.id });
            }
            let Some(wait) = wait else { return Err(error.into()) };
            if fault_of(&error) == Fault::Connection {
                progress(BackfillEvent::Reconnecting { error: error.to_string(), wait });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn transaction(&self, part: &[ReadyDecision<'_>]) -> Result<Vec<DecisionResult>> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let done = self.in_transaction(&mut tx, part).await;
        match (done, &self.books) {
            (Ok(verdicts), Books::Kept { .. }) => {
                tx.commit().await?;
                Ok(verdicts)
            }
            (Ok(verdicts), Books::Dry) => {
                tx.rollback().await?;
                Ok(verdicts)
            }
            (Err(error), _) => {
                // Dropping would do, at the price of a new connection for each half of a batch that refuses.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }

    async fn in_transaction(&self, tx: &mut BatchTx, part: &[ReadyDecision<'_>]) -> Result<Vec<DecisionResult>> {
        let run = match &self.books {
            Books::Kept { run, lease } => {
                lease.fence(tx.connection().await?).await?;
                *run
            }
            Books::Dry => {
                tenant_ops::install_in(tx.connection().await?, self.tenancy).await?;
                DecisionRun::open_in(tx.connection().await?, &self.plan.table.to_string()).await?
            }
        };
        tx.assume(&self.role).await?;
        let call = DecisionCall {
            variable: &self.tenancy.session.variable,
            judge: &self.judge,
            write: &self.write,
            keys: part.iter().map(|ready| ready.asked.key.as_str()).collect(),
            tenants: part.iter().map(|ready| ready.tenant.as_str()).collect(),
            fingerprints: part.iter().map(|ready| ready.asked.fingerprint.as_str()).collect(),
        };
        Ok(run.batch(tx.connection().await?, &call).await?)
    }
}

/// Whether a smaller batch may pass. [`WRITTEN_NOT_LOCKED`]: another number of rows was written than locked.
fn is_about_rows(error: &RlsError) -> bool {
    error.sqlstate() == Some(WRITTEN_NOT_LOCKED) || matches!(fault_of(error), Fault::Data | Fault::Contention)
}

/// What the server said, without what was being done.
fn words(error: &RlsError) -> String {
    match error {
        RlsError::Query { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
