//! One batch: the next rows of a lane that is free, in one transaction, tried again where somebody was in the way.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tenancy_config::{TableName, Tenancy};
use tenant_ops::{BatchCall, BatchCounts, Range, Run};
use tenant_rls::sqlstate::{RUN_NOT_RUNNING, WRITTEN_NOT_LOCKED};
use tenant_rls::{ActingRole, Backoff, BatchOptions, BatchTx, Database, Error as RlsError, Fault, Sql, fault_of};

use crate::books::Books;
use crate::statements::{LeafStatements, Statements};
use crate::steady::{Teller, reconnect, tell};
use crate::tid::{Tid, TidRange};
use crate::{BackfillEvent, BackfillPlan, Error, FailedRow, Result};

/// Does batches.
pub(crate) struct Batches<'a> {
    pub(crate) database: &'a Database,
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) plan: &'a BackfillPlan,
    pub(crate) statements: &'a Statements,
    pub(crate) role: &'a ActingRole,
    pub(crate) books: Books,
}

/// What a worker asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchRequest {
    /// The lane that it was on.
    pub(crate) lane: i64,
    /// Positions to read.
    pub(crate) positions: u64,
    /// The most rows to look at.
    pub(crate) limit: Option<u64>,
}

/// The rows that a worker got.
#[derive(Debug, Clone)]
pub(crate) struct ClaimedRange {
    pub(crate) lane: Range,
    pub(crate) range: TidRange,
}

/// What became of a task.
pub(crate) enum BatchResult {
    /// The batch was committed (in a dry run: rolled back).
    Done { claim: ClaimedRange, counts: BatchCounts, took: Duration },
    /// Rows of this range refused, or stayed locked; nothing was kept.
    Refused { claim: ClaimedRange, error: RlsError },
    /// No lane is free, or the run is not running.
    Nothing,
}

/// A batch that failed, with the rows that it was about to do.
struct Failure {
    claim: Option<ClaimedRange>,
    error: Error,
}

impl From<RlsError> for Failure {
    fn from(error: RlsError) -> Self {
        Self { claim: None, error: error.into() }
    }
}

impl From<tenant_ops::Error> for Failure {
    fn from(error: tenant_ops::Error) -> Self {
        match error {
            tenant_ops::Error::Database(error) => error.into(),
            error => Self { claim: None, error: error.into() },
        }
    }
}

impl Batches<'_> {
    /// Does a batch, and waits for a lost server, or for whoever was in the way.
    pub(crate) async fn attempt(&self, task: BatchRequest, progress: &Teller<'_>) -> Result<BatchResult> {
        let mut contention = Backoff::new(Duration::from_millis(50), Duration::from_secs(1), 4);
        let mut connection = reconnect();
        loop {
            let started = Instant::now();
            let (claim, error) = match self.transaction(task).await {
                Ok(Some((claim, counts))) => return Ok(BatchResult::Done { claim, counts, took: started.elapsed() }),
                Ok(None) => return Ok(BatchResult::Nothing),
                Err(Failure { claim, error: Error::Database(error) }) => (claim, error),
                Err(Failure { error, .. }) => return Err(error),
            };
            if error.sqlstate() == Some(RUN_NOT_RUNNING) {
                return Ok(BatchResult::Nothing);
            }
            let wait = match fault_of(&error) {
                Fault::Contention => contention.next_wait(),
                Fault::Connection => connection.next_wait(),
                _ => None,
            };
            match (wait, claim) {
                (Some(wait), _) => {
                    if fault_of(&error) == Fault::Connection {
                        tell(progress, BackfillEvent::Reconnecting { error: error.to_string(), wait });
                    }
                    tokio::time::sleep(wait).await;
                }
                (None, Some(claim)) if refusal(&error) => return Ok(BatchResult::Refused { claim, error }),
                (None, _) => return Err(error.into()),
            }
        }
    }

    async fn transaction(&self, task: BatchRequest) -> Result<Option<(ClaimedRange, BatchCounts)>, Failure> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let Some((run, lane)) = self.books.claim(&mut tx, self.tenancy, self.role, task.lane).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        let claim = ClaimedRange { range: range(&lane, task.positions), lane };
        let done = match self.statements.of(&claim.lane.leaf) {
            Some(leaf) => self.in_lane(&mut tx, &run, leaf, &claim, task.limit).await,
            None => Err(self.leaf_is_gone(&claim.lane.leaf)),
        };
        let ended = match (&done, self.books.run()) {
            (Ok(_), Some(_)) => tx.commit().await,
            // Dropping would do after an error, at the price of a new connection for each half of a range that refuses.
            _ => tx.rollback().await,
        };
        match (done, ended) {
            (Ok(counts), Ok(())) => Ok(Some((claim, counts))),
            (Ok(_), Err(error)) | (Err(error), _) => Err(Failure { claim: Some(claim), error: error.into() }),
        }
    }

    async fn in_lane(
        &self,
        tx: &mut BatchTx,
        run: &Run,
        leaf: &LeafStatements,
        claim: &ClaimedRange,
        limit: Option<u64>,
    ) -> Result<BatchCounts, RlsError> {
        let until = claim.range.until.to_string();
        let call = BatchCall {
            range: claim.lane.id,
            variable: &self.tenancy.session.variable,
            statement: &leaf.batch,
            from: &claim.lane.next,
            until: &until,
            // One position holds one row: without a limit it counts as seen, also where nobody can decide it.
            limit: limit.filter(|_| claim.range.length() > 1).map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)),
        };
        run.batch(tx.connection().await?, &call).await
    }

    /// A partition that was detached or dropped after the lanes were made.
    fn leaf_is_gone(&self, leaf: &str) -> RlsError {
        match TableName::parse(leaf, &self.tenancy.database.schema) {
            Ok(table) => RlsError::NoTable { table, closest: None },
            Err(error) => error.into(),
        }
    }

    /// Steps over the one position that cannot be written, and notes its row, if it is still there. Returns it with the number of
    /// rows that were refused in this pass.
    pub(crate) async fn step_over(&self, claim: &ClaimedRange, error: &RlsError) -> Result<(Option<FailedRow>, u64)> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        tx.assume(self.role).await?;
        let leaf = self.statements.of(&claim.lane.leaf);
        let key = match leaf {
            Some(leaf) => key_at(tx.application().await?, &leaf.key_of, claim.range.from).await?,
            None => None,
        };
        let error = match error {
            RlsError::Query { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        let Books::Kept(run) = &self.books else {
            tx.rollback().await?;
            self.books.moved(claim.range.until);
            let failed = key.map(|key| FailedRow { key, error });
            return Ok((failed, 0));
        };
        let row = key.as_deref().map(|key| (key, error.as_str()));
        let until = claim.range.until.to_string();
        let refused = run.refuse(tx.connection().await?, &claim.lane, &until, row).await?;
        tx.commit().await?;
        Ok((key.map(|key| FailedRow { key, error }), refused))
    }
}

/// Whether an error is about rows of the range, so that a smaller one may pass.
fn refusal(error: &RlsError) -> bool {
    match error.sqlstate() {
        // Another number of rows was written than locked: find the row.
        Some(WRITTEN_NOT_LOCKED) => true,
        // A trigger that writes elsewhere may lack rights: for its rows only, or for all; MOST_FAILURES tells.
        _ => matches!(fault_of(error), Fault::Data | Fault::Contention),
    }
}

fn range(lane: &Range, positions: u64) -> TidRange {
    let tid = |text: &str| Tid::parse(text).expect("the server prints a tid as (page,offset)");
    TidRange::of(tid(&lane.next), positions, tid(&lane.until))
}

async fn key_at(connection: &mut PgConnection, key_of: &Sql, at: Tid) -> Result<Option<String>, RlsError> {
    sqlx::query_scalar(key_of)
        .bind(at.to_string())
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("reading the key of a row"))
}
