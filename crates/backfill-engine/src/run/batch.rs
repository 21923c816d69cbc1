//! One batch: the next rows of a free range, in one transaction, with retries.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tenancy_config::{TableName, Tenancy};
use tenant_ops::{BatchCall, BatchCounts, Range, Run};
use tenant_rls::sqlstate::{RUN_NOT_RUNNING, WRITTEN_NOT_KEPT, WRITTEN_NOT_LOCKED};
use tenant_rls::{ActingRole, BatchOptions, BatchTx, Database, Error as RlsError, Fault, Sql, fault_of};

use crate::error::{Error, Result};
use crate::finding::FailedRow;
use crate::plan::BackfillPlan;
use crate::progress::{BackfillEvent, ProgressSink, send};
use crate::retry::BatchWaits;
use crate::run::recorder::RunRecorder;
use crate::run::tid::{Tid, TidRange};
use crate::statements::{LeafStatements, Statements};

/// All that a batch needs.
pub(crate) struct Batches<'a> {
    pub(crate) database: &'a Database,
    pub(crate) tenancy: &'a Tenancy,
    pub(crate) plan: &'a BackfillPlan,
    pub(crate) statements: &'a Statements,
    pub(crate) role: &'a ActingRole,
    pub(crate) recorder: RunRecorder,
}

/// The batch that a worker asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchRequest {
    /// The range of its last batch, which is preferred.
    pub(crate) range_id: i64,
    /// Positions to read.
    pub(crate) positions: u64,
    /// The most rows to examine.
    pub(crate) limit: Option<u64>,
}

/// The positions that a worker claimed.
#[derive(Debug, Clone)]
pub(crate) struct ClaimedRange {
    pub(crate) range: Range,
    pub(crate) tids: TidRange,
}

/// The result of a batch.
pub(crate) enum BatchResult {
    /// The batch was committed, or rolled back in a dry run.
    Done { claim: ClaimedRange, counts: BatchCounts, took: Duration },
    /// Rows at these positions were refused or stayed locked; nothing was written.
    Refused { claim: ClaimedRange, error: RlsError },
    /// No range is free, or the run is not running.
    Nothing,
}

/// A batch that failed, with the positions that it had claimed.
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
    /// Runs a batch. It waits for a lost server, and for locks that others hold.
    pub(crate) async fn attempt(&self, request: BatchRequest, progress: &ProgressSink<'_>) -> Result<BatchResult> {
        let mut waits = BatchWaits::new();
        loop {
            let started = Instant::now();
            let (claim, error) = match self.transaction(request).await {
                Ok(Some((claim, counts))) => return Ok(BatchResult::Done { claim, counts, took: started.elapsed() }),
                Ok(None) => return Ok(BatchResult::Nothing),
                Err(Failure { claim, error: Error::Database(error) }) => (claim, error),
                Err(Failure { error, .. }) => return Err(error),
            };
            if error.sqlstate() == Some(RUN_NOT_RUNNING) {
                return Ok(BatchResult::Nothing);
            }
            let wait = waits.after(&error);
            match (wait, claim) {
                (Some(wait), _) => {
                    if fault_of(&error) == Fault::Connection {
                        send(progress, BackfillEvent::Reconnecting { error: error.to_string(), wait });
                    }
                    tokio::time::sleep(wait).await;
                }
                (None, Some(claim)) if refusal(&error) => return Ok(BatchResult::Refused { claim, error }),
                (None, _) => return Err(error.into()),
            }
        }
    }

    async fn transaction(&self, request: BatchRequest) -> Result<Option<(ClaimedRange, BatchCounts)>, Failure> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        let Some((run, range)) = self.recorder.claim(&mut tx, self.tenancy, self.role, request.range_id).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        let claim = ClaimedRange { tids: tids(&range, request.positions), range };
        let done = match self.statements.of(&claim.range.leaf) {
            Some(leaf) => self.in_range(&mut tx, &run, leaf, &claim, request.limit).await,
            None => Err(self.leaf_is_gone(&claim.range.leaf)),
        };
        let ended = match (&done, self.recorder.run()) {
            (Ok(_), Some(_)) => tx.commit().await,
            // Without a rollback each half of a refused range would need a new connection.
            _ => tx.rollback().await,
        };
        match (done, ended) {
            (Ok(counts), Ok(())) => Ok(Some((claim, counts))),
            (Ok(_), Err(error)) | (Err(error), _) => Err(Failure { claim: Some(claim), error: error.into() }),
        }
    }

    async fn in_range(
        &self,
        tx: &mut BatchTx,
        run: &Run,
        leaf: &LeafStatements,
        claim: &ClaimedRange,
        limit: Option<u64>,
    ) -> Result<BatchCounts, RlsError> {
        let until = claim.tids.until.to_string();
        let call = BatchCall {
            range: claim.range.id,
            variable: &self.tenancy.session.variable,
            statement: &leaf.batch,
            from: &claim.range.next,
            until: &until,
            // One position holds one row. Without a limit it counts as examined even if it cannot be resolved.
            limit: limit.filter(|_| claim.tids.length() > 1).map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)),
        };
        run.batch(tx.connection().await?, &call).await
    }

    /// The error for a partition that was detached or dropped after the ranges were made.
    fn leaf_is_gone(&self, leaf: &str) -> RlsError {
        match TableName::parse(leaf, &self.tenancy.database.schema) {
            Ok(table) => RlsError::NoTable { table, closest: None },
            Err(error) => error.into(),
        }
    }

    /// Skips the one position that cannot be written and records its row, if it still exists. Returns the row and the
    /// number of rows that were refused in this pass.
    pub(crate) async fn step_over(&self, claim: &ClaimedRange, error: &RlsError) -> Result<(Option<FailedRow>, u64)> {
        let mut tx = BatchTx::begin(self.database, self.tenancy, &BatchOptions::default()).await?;
        tx.assume(self.role).await?;
        let leaf = self.statements.of(&claim.range.leaf);
        let key = match leaf {
            Some(leaf) => key_at(tx.application().await?, &leaf.key_of, claim.tids.from).await?,
            None => None,
        };
        let error = match error {
            RlsError::Query { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        let RunRecorder::Recorded(run) = &self.recorder else {
            tx.rollback().await?;
            self.recorder.moved(claim.tids.until);
            let failed = key.map(|key| FailedRow { key, error });
            return Ok((failed, 0));
        };
        let row = key.as_deref().map(|key| (key, error.as_str()));
        let until = claim.tids.until.to_string();
        let refused = run.refuse(tx.connection().await?, &claim.range, &until, row).await?;
        tx.commit().await?;
        Ok((key.map(|key| FailedRow { key, error }), refused))
    }
}

/// Whether an error is about rows of the range, so that a smaller one may succeed.
fn refusal(error: &RlsError) -> bool {
    match error.sqlstate() {
        // The number of written rows differs from the number of locked ones, or the table did not keep what was written: find the row.
        Some(WRITTEN_NOT_LOCKED | WRITTEN_NOT_KEPT) => true,
        // A trigger that writes elsewhere may lack rights for some rows or for all; MOST_FAILURES tells them apart.
        _ => matches!(fault_of(error), Fault::Data | Fault::Contention),
    }
}

fn tids(range: &Range, positions: u64) -> TidRange {
    let tid = |text: &str| Tid::parse(text).expect("the server prints a tid as (page,offset)");
    TidRange::of(tid(&range.next), positions, tid(&range.until))
}

async fn key_at(connection: &mut PgConnection, key_of: &Sql, at: Tid) -> Result<Option<String>, RlsError> {
    sqlx::query_scalar(key_of)
        .bind(at.to_string())
        .fetch_optional(connection)
        .await
        .map_err(RlsError::query("reading the key of a row"))
}
