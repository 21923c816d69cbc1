//! A worker: one batch after the other, sized by measurement, until the pass is over or the run ends.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenant_ops::RunState;
use tenant_rls::Error as RlsError;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::options::BackfillOptions;
use crate::progress::{BackfillEvent, ProgressSink, send};
use crate::retry::retry_lost_connection;
use crate::run::batch::{BatchRequest, BatchResult, Batches, ClaimedRange};
use crate::run::counts::{MOST_FAILURES, ProcessCounts};
use crate::run::recorder::RunRecorder;
use crate::run::tid::{PAGE, half};
use crate::throttle::Throttle;

/// The pages of the first batch. The size of later ones is measured.
const FIRST_PAGES: u64 = 32;

/// The most pages of a batch, so that Ctrl-C need not wait long for it.
const MOST_PAGES: u64 = 8192;

/// How often a worker without a range tries again.
const IDLE: Duration = Duration::from_millis(200);

/// How often a paused worker asks whether it may go on.
const PAUSED: Duration = Duration::from_secs(1);

/// Why a pass ended for this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassEnd {
    /// Every range is done.
    PassOver,
    /// This process was told to stop.
    Stopped,
    /// The limit of assigned rows was reached.
    LimitReached,
    /// The run is not running any more.
    Run(RunState),
}

/// The state that the workers of one process share.
pub(crate) struct Shared<'a, 't> {
    pub(crate) batches: &'a Batches<'a>,
    pub(crate) options: &'a BackfillOptions,
    pub(crate) progress: &'a ProgressSink<'t>,
    pub(crate) stop: watch::Receiver<bool>,
    counts: &'a Mutex<ProcessCounts>,
    throttle: &'a Throttle,
    /// A worker came to the end of the pass or failed, so that the others end, including those that wait for the
    /// throttle.
    over: watch::Sender<bool>,
    paused: AtomicBool,
    /// Rows that other processes examined and assigned since this one began.
    others_examined: AtomicU64,
    others_assigned: AtomicU64,
}

impl<'a, 't> Shared<'a, 't> {
    pub(crate) fn new(
        batches: &'a Batches<'a>,
        options: &'a BackfillOptions,
        progress: &'a ProgressSink<'t>,
        stop: watch::Receiver<bool>,
        counts: &'a Mutex<ProcessCounts>,
        throttle: &'a Throttle,
    ) -> Self {
        let (over, paused) = (watch::channel(false).0, AtomicBool::new(false));
        let (others_examined, others_assigned) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { batches, options, progress, stop, counts, throttle, over, paused, others_examined, others_assigned }
    }

    fn counts(&self) -> MutexGuard<'_, ProcessCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the rows that all processes examined and assigned since this one began.
    pub(crate) fn all_did(&self, examined: u64, assigned: u64) {
        let own = self.counts();
        self.others_examined.store(examined.saturating_sub(own.examined), Ordering::Relaxed);
        self.others_assigned.store(assigned.saturating_sub(own.assigned), Ordering::Relaxed);
        drop(own);
        self.send_counts();
    }

    fn send_counts(&self) {
        let own = self.counts();
        let examined = own.examined + self.others_examined.load(Ordering::Relaxed);
        let assigned = own.assigned + self.others_assigned.load(Ordering::Relaxed);
        drop(own);
        send(self.progress, BackfillEvent::Batch { examined, assigned });
    }

    /// Sends one event if a pause is over.
    fn send_resumed(&self) {
        if self.paused.swap(false, Ordering::Relaxed) {
            send(self.progress, BackfillEvent::Resumed);
        }
    }

    /// Waits for a time, or until this process is told to stop.
    async fn rest(&self, time: Duration) {
        let mut stop = self.stop.clone();
        // If the sender is gone, nothing can stop it, and only the time counts.
        let stopped = async {
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let _ = tokio::time::timeout(time, stopped).await;
    }
}

/// One worker.
pub(crate) struct Worker<'a, 't> {
    shared: &'a Shared<'a, 't>,
    /// The number of the worker, from 0. High numbers are held back first.
    number: u32,
    range_id: i64,
    positions: u64,
    /// The duration and the written rows of its last batch.
    last: Option<(Duration, u64)>,
}

impl<'a, 't> Worker<'a, 't> {
    pub(crate) fn new(shared: &'a Shared<'a, 't>, number: u32) -> Self {
        Self { shared, number, range_id: 0, positions: FIRST_PAGES * PAGE, last: None }
    }

    /// Works until the pass is over for it.
    pub(crate) async fn run(mut self) -> Result<PassEnd> {
        let done = self.batches().await;
        self.shared.over.send_replace(true);
        done
    }

    async fn batches(&mut self) -> Result<PassEnd> {
        let Shared { batches, options, progress, throttle, .. } = self.shared;
        let (mut stop, mut over) = (self.shared.stop.clone(), self.shared.over.subscribe());
        loop {
            tokio::select! {
                biased;
                // The sender lives as long as the shared state.
                _ = over.wait_for(|over| *over) => return Ok(PassEnd::PassOver),
                admitted = throttle.admit(self.number, self.last.take(), &mut stop) => {
                    if !admitted {
                        return Ok(PassEnd::Stopped);
                    }
                }
            }
            let left = options.limit.map(|limit| limit.saturating_sub(self.shared.counts().assigned));
            if left == Some(0) {
                return Ok(PassEnd::LimitReached);
            }
            let request = BatchRequest { range_id: self.range_id, positions: self.positions, limit: left };
            match batches.attempt(request, progress).await? {
                BatchResult::Done { claim, counts, took } => {
                    self.done(&claim, left, &counts, took);
                }
                BatchResult::Refused { claim, error } => self.refused(&claim, &error).await?,
                BatchResult::Nothing => {
                    if let Some(ended) = self.nothing().await? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    fn done(&mut self, claim: &ClaimedRange, left: Option<u64>, counts: &tenant_ops::BatchCounts, took: Duration) {
        self.range_id = claim.range.id;
        self.shared.send_resumed();
        self.shared.counts().add(counts, took);
        self.last = Some((took, counts.assigned));
        // The limit cut the batch short: later rows were not examined, and the checkpoint stays before them.
        let cut = claim.tids.length() > 1 && left.is_some_and(|left| counts.examined >= left);
        if cut && counts.assigned < counts.examined {
            // Unresolvable rows used up the limit: take fewer positions, to come to the rows after them.
            self.positions = half(claim.tids.length());
        } else {
            self.positions =
                next_size(claim.tids.length().max(self.positions / 2), took, self.shared.options.batch_time);
        }
        if !cut {
            self.shared.batches.recorder.moved(claim.tids.until);
        }
        self.shared.send_counts();
    }

    async fn refused(&mut self, claim: &ClaimedRange, error: &RlsError) -> Result<()> {
        self.range_id = claim.range.id;
        if claim.tids.length() > 1 {
            self.positions = half(claim.tids.length());
            return Ok(());
        }
        let Shared { batches, progress, .. } = self.shared;
        let (failed, refused) = retry_lost_connection(progress, async || batches.step_over(claim, error).await).await?;
        // The row is gone, so nothing was refused.
        let Some(failed) = failed else { return Ok(()) };
        let mut counts = self.shared.counts();
        counts.failed.push(failed);
        if refused.max(counts.failed.len() as u64) < MOST_FAILURES {
            return Ok(());
        }
        let (table, failed) = (batches.plan.table.clone(), std::mem::take(&mut counts.failed));
        Err(Error::TooManyFailures { table, failed })
    }

    /// Waits if there may be more to do, or returns why the pass is over.
    async fn nothing(&self) -> Result<Option<PassEnd>> {
        let Shared { batches, progress, paused, .. } = self.shared;
        let RunRecorder::Recorded(run) = &batches.recorder else { return Ok(Some(PassEnd::PassOver)) };
        let now = retry_lost_connection(progress, async || Ok(run.progress(batches.database).await?)).await?;
        match now.state {
            RunState::Running if now.open_ranges == 0 => return Ok(Some(PassEnd::PassOver)),
            RunState::Running => {
                self.shared.send_resumed();
                self.shared.rest(IDLE).await;
            }
            RunState::Paused => {
                if !paused.swap(true, Ordering::Relaxed) {
                    send(progress, BackfillEvent::Paused { by: now.state_by });
                }
                self.shared.rest(PAUSED).await;
            }
            ended => return Ok(Some(PassEnd::Run(ended))),
        }
        Ok(None)
    }
}

/// Grows or shrinks a batch towards the batch time, at most to double or half, so that one odd batch does not decide.
/// Time alone makes no batch smaller than a page; refused rows do.
fn next_size(positions: u64, took: Duration, target: Duration) -> u64 {
    let ratio = target.as_secs_f64() / took.as_secs_f64().max(0.001);
    ((positions as f64 * ratio.clamp(0.5, 2.0)) as u64).clamp(positions.min(PAGE), MOST_PAGES * PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_grows_and_shrinks_towards_its_time() {
        let target = Duration::from_millis(250);
        assert_eq!(next_size(100 * PAGE, Duration::from_millis(10), target), 200 * PAGE);
        assert_eq!(next_size(100 * PAGE, Duration::from_secs(9), target), 50 * PAGE);
        assert_eq!(next_size(100 * PAGE, Duration::from_millis(200), target), 125 * PAGE);
        assert_eq!(next_size(PAGE, Duration::from_secs(9), target), PAGE);
        assert_eq!(next_size(1, Duration::from_secs(9), target), 1);
        assert_eq!(next_size(1, Duration::from_millis(1), target), 2);
    }
}
