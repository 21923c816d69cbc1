//! One batch: tried again where somebody was in the way, halved where rows refuse, down to the row that does.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tenant_ops::{BatchCall, BatchCounts, KeptAlive, Lease, NewRun, Run};
use tenant_rls::{
    ActingRole, Backoff, BatchOptions, BatchTx, Database, Error as RlsError, Fault, Sql, Tenancy, fault_of,
};

use crate::statements::Statements;
use crate::tid::{Range, Tid};
use crate::{Error, FailedRow, Plan, Progress, Result};

/// So many rows may refuse before the run stops: then it is no longer about rows.
const MOST_FAILURES: usize = 100;

/// How long a lost server is waited for: 12 waits, up to 5 s each.
fn reconnect() -> Backoff {
    Backoff::new(Duration::from_millis(200), Duration::from_secs(5), 12)
}

/// Whose books a batch is kept in.
pub(crate) enum Books {
    /// A run that stays.
    Kept { run: Run, lease: Lease },
    /// A dry run: run and lease are made in each transaction, and taken back with it.
    Dry { new: NewRun, holder: String },
}

impl Books {
    /// The run, if it stays.
    pub(crate) fn run(&self) -> Option<&Run> {
        match self {
            Self::Kept { run, .. } => Some(run),
            Self::Dry { .. } => None,
        }
    }

    /// Keeps the lease of a run that stays, until the answer is dropped.
    pub(crate) fn keep_alive(&self, database: &Database) -> Option<KeptAlive> {
        match self {
            Self::Kept { lease, .. } => Some(lease.keep_alive(database)),
            Self::Dry { .. } => None,
        }
    }
}

/// Does batches.
pub(crate) struct Batches<'a> {
    pub(crate) database: &'a Database,
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) plan: &'a Plan,
    pub(crate) statements: &'a Statements,
    pub(crate) role: &'a ActingRole,
    pub(crate) books: Books,
}

/// Whom the workers tell, one at a time.
pub(crate) type Teller<'a> = Mutex<&'a mut (dyn FnMut(Progress) + Send)>;

/// What a worker is given to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    /// Its rows.
    pub(crate) range: Range,
    /// Where the pass would have to go on, as long as an earlier range is still being worked on.
    pub(crate) unfinished_before: Option<Tid>,
    /// The most rows to assign.
    pub(crate) limit: Option<u64>,
}

/// What this process did so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) examined: u64,
    pub(crate) assigned: u64,
    pub(crate) assigned_by: Vec<i64>,
    pub(crate) batches: u64,
    pub(crate) longest: Duration,
    pub(crate) failed: Vec<FailedRow>,
}

impl Tally {
    fn add(&mut self, counts: &BatchCounts, took: Duration) {
        self.examined += counts.examined;
        self.assigned += counts.assigned;
        self.add_by_source(&counts.assigned_by);
        self.batches += 1;
        self.longest = self.longest.max(took);
    }

    /// Adds what a worker did.
    pub(crate) fn merge(&mut self, other: Self) {
        self.examined += other.examined;
        self.assigned += other.assigned;
        self.add_by_source(&other.assigned_by);
        self.batches += other.batches;
        self.longest = self.longest.max(other.longest);
        for row in other.failed {
            self.note_failure(row);
        }
    }

    fn add_by_source(&mut self, assigned_by: &[i64]) {
        self.assigned_by.resize(self.assigned_by.len().max(assigned_by.len()), 0);
        for (sum, rows) in self.assigned_by.iter_mut().zip(assigned_by) {
            *sum += rows;
        }
    }

    /// Notes a row that the table refused; one that a later pass tried again counts once.
    fn note_failure(&mut self, failed: FailedRow) {
        self.failed.retain(|row| row.key != failed.key);
        self.failed.push(failed);
    }

    /// Fails where so many rows refuse that it is no longer about rows.
    pub(crate) fn check(&mut self, plan: &Plan) -> Result<()> {
        if self.failed.len() < MOST_FAILURES {
            return Ok(());
        }
        Err(Error::TooManyFailures { table: plan.table.clone(), failed: std::mem::take(&mut self.failed) })
    }
}

impl Batches<'_> {
    /// Does the rows of a task.
    pub(crate) async fn work(&self, task: Task, progress: &Teller<'_>) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut waiting = vec![task.range];
        while let Some(range) = waiting.pop() {
            let left = task.limit.map(|limit| limit.saturating_sub(tally.assigned));
            if left == Some(0) {
                break;
            }
            let part = Task { range, limit: left, ..task };
            match self.attempt(part, progress).await {
                Ok((counts, took)) => {
                    tally.add(&counts, took);
                    // Cut short by rows that nobody can decide: behind them there may be others.
                    let cut = left.is_some_and(|left| counts.examined >= left && counts.assigned < left);
                    if let Some((first, second)) = range.halves().filter(|_| cut) {
                        waiting.extend([second, first]);
                    }
                }
                Err(error) => match (self.refusal(&error), range.halves()) {
                    (false, _) => return Err(self.lost_lease(error)),
                    (true, Some((first, second))) => waiting.extend([second, first]),
                    (true, None) => {
                        if let Some(failed) = self.refused_row(range.from, &error).await? {
                            tally.note_failure(failed);
                            tally.check(self.plan)?;
                        }
                    }
                },
            }
        }
        Ok(tally)
    }

    /// Whether an error is about rows of the range, so that a smaller one may pass.
    fn refusal(&self, error: &RlsError) -> bool {
        match error.sqlstate() {
            Some("TO001") => false,
            // Another number of rows was written than locked: find the row.
            Some("TO002") => true,
            // A trigger that writes elsewhere may lack rights: for its rows only, or for all; MOST_FAILURES tells.
            _ => matches!(fault_of(error), Fault::Data | Fault::Contention),
        }
    }

    fn lost_lease(&self, error: RlsError) -> Error {
        match (&self.books, error.sqlstate()) {
            (Books::Kept { lease, .. }, Some("TO001")) => {
                tenant_ops::Error::LeaseLost { resource: lease.resource.clone() }.into()
            }
            _ => error.into(),
        }
    }

    async fn attempt(&self, task: Task, progress: &Teller<'_>) -> Result<(BatchCounts, Duration), RlsError> {
        let mut contention = Backoff::new(Duration::from_millis(50), Duration::from_secs(1), 4);
        let mut connection = reconnect();
        loop {
            let started = Instant::now();
            let error = match self.transaction(task).await {
                Ok(counts) => return Ok((counts, started.elapsed())),
                Err(error) => error,
            };
            let wait = match fault_of(&error) {
                Fault::Contention => contention.next_wait(),
                Fault::Connection => connection.next_wait(),
                _ => None,
            };
            let Some(wait) = wait else { return Err(error) };
            if fault_of(&error) == Fault::Connection {
                tell(progress, Progress::Reconnecting { error: error.to_string(), wait });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn transaction(&self, task: Task) -> Result<BatchCounts, RlsError> {
        let (from, until) = (task.range.from.to_string(), task.range.until.to_string());
        let checkpoint = task.unfinished_before.unwrap_or(task.range.until).to_string();
        let call = BatchCall {
            variable: &self.tenancy.session.variable,
            resolve: &self.statements.resolve,
            assign: &self.statements.assign,
            from: &from,
            until: &until,
            checkpoint: &checkpoint,
            limit: task.limit.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)),
        };
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let done = self.in_books(&mut tx, &call).await;
        let kept = matches!(self.books, Books::Kept { .. });
        match done {
            Ok(counts) if kept => tx.commit().await.map(|()| counts),
            Ok(counts) => tx.rollback().await.map(|()| counts),
            Err(error) => {
                // Dropping would do, at the price of a new connection for each half of a range that refuses.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }

    async fn in_books(&self, tx: &mut BatchTx, call: &BatchCall<'_>) -> Result<BatchCounts, RlsError> {
        match &self.books {
            Books::Kept { run, lease } => {
                tx.assume(self.role).await?;
                run.batch(tx.connection().await?, lease, call).await
            }
            Books::Dry { new, holder } => {
                let (run, lease) = dry_books(tx.connection().await?, self.tenancy, new, holder).await?;
                tx.assume(self.role).await?;
                run.batch(tx.connection().await?, &lease, call).await
            }
        }
    }

    /// The one row that cannot be written, if it is still there.
    async fn refused_row(&self, at: Tid, error: &RlsError) -> Result<Option<FailedRow>> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        tx.assume(self.role).await?;
        let key: Option<String> = key_at(tx.connection().await?, &self.statements.key_of, at).await?;
        tx.rollback().await?;
        let Some(key) = key else { return Ok(None) };
        let error = match error {
            RlsError::Query { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        Ok(Some(FailedRow { key, error }))
    }
}

/// Tells an event.
pub(crate) fn tell(progress: &Teller<'_>, event: Progress) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    (**progress)(event);
}

async fn key_at(connection: &mut PgConnection, key_of: &Sql, at: Tid) -> Result<Option<String>, RlsError> {
    sqlx::query_scalar(key_of)
        .bind(at.to_string())
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("reading the key of a row"))
}

async fn dry_books(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    new: &NewRun,
    holder: &str,
) -> Result<(Run, Lease), RlsError> {
    tenant_ops::install_in(connection, tenancy).await?;
    let lease = match Lease::acquire_in(connection, &new.resource(), holder).await {
        Ok(lease) => lease,
        Err(tenant_ops::Error::Database(error)) => return Err(error),
        // Somebody really works on it: a dry run beside it does no harm, as it keeps nothing.
        Err(_) => Lease { resource: new.resource(), fence: Lease::fence_in(connection, &new.resource()).await? },
    };
    Ok((Run::open_in(connection, new).await?, lease))
}
