//! A worker: one batch after the other, sized by measurement, until the pass is over or somebody ends it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenant_ops::RunState;
use tenant_rls::Error as RlsError;
use tokio::sync::watch;

use crate::batch::{BatchRequest, BatchResult, Batches, ClaimedRange};
use crate::books::Books;
use crate::pressure::Throttle;
use crate::steady::{Teller, steadily, tell};
use crate::tally::{MOST_FAILURES, ProcessCounts};
use crate::tid::{PAGE, half};
use crate::{BackfillEvent, BackfillOptions, Error, Result};

/// Pages of the first batch; measurement takes over from there.
const FIRST_PAGES: u64 = 32;

/// A batch over a table with little to do must not grow until Ctrl-C waits for it.
const MOST_PAGES: u64 = 8192;

/// How often a worker without work looks again.
const IDLE: Duration = Duration::from_millis(200);

/// How often a paused worker asks whether it may go on.
const PAUSED: Duration = Duration::from_secs(1);

/// Why a pass ended for this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassEnd {
    /// Every lane is at its end.
    PassOver,
    /// This process was told to stop.
    Stopped,
    /// It has assigned as many rows as it was to.
    LimitReached,
    /// The run is not running any more.
    Run(RunState),
}

/// What the workers of one process share.
pub(crate) struct Shared<'a, 't> {
    pub(crate) batches: &'a Batches<'a>,
    pub(crate) options: &'a BackfillOptions,
    pub(crate) progress: &'a Teller<'t>,
    pub(crate) stop: watch::Receiver<bool>,
    tally: &'a Mutex<ProcessCounts>,
    throttle: &'a Throttle,
    /// One of them came to the end of the pass, or failed: the others end, those that are held back too.
    over: watch::Sender<bool>,
    paused: AtomicBool,
    /// What other processes did since this one began.
    others_examined: AtomicU64,
    others_assigned: AtomicU64,
}

impl<'a, 't> Shared<'a, 't> {
    pub(crate) fn new(
        batches: &'a Batches<'a>,
        options: &'a BackfillOptions,
        progress: &'a Teller<'t>,
        stop: watch::Receiver<bool>,
        tally: &'a Mutex<ProcessCounts>,
        throttle: &'a Throttle,
    ) -> Self {
        let (over, paused) = (watch::channel(false).0, AtomicBool::new(false));
        let (others_examined, others_assigned) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { batches, options, progress, stop, tally, throttle, over, paused, others_examined, others_assigned }
    }

    fn tally(&self) -> MutexGuard<'_, ProcessCounts> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what all processes did since this one began.
    pub(crate) fn all_did(&self, examined: u64, assigned: u64) {
        let own = self.tally();
        self.others_examined.store(examined.saturating_sub(own.examined), Ordering::Relaxed);
        self.others_assigned.store(assigned.saturating_sub(own.assigned), Ordering::Relaxed);
        drop(own);
        self.tell_counts();
    }

    fn tell_counts(&self) {
        let own = self.tally();
        let examined = own.examined + self.others_examined.load(Ordering::Relaxed);
        let assigned = own.assigned + self.others_assigned.load(Ordering::Relaxed);
        drop(own);
        tell(self.progress, BackfillEvent::Batch { examined, assigned });
    }

    /// Tells, once, that a pause is over.
    fn tell_resumed(&self) {
        if self.paused.swap(false, Ordering::Relaxed) {
            tell(self.progress, BackfillEvent::Resumed);
        }
    }

    /// Waits, or less where this process is told to stop.
    async fn rest(&self, time: Duration) {
        let mut stop = self.stop.clone();
        // Whoever could stop it may be gone: then it is the time alone.
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
    /// From 0: those with a high number are held back first.
    number: u32,
    lane: i64,
    positions: u64,
    /// How long its last batch took, and the rows that it wrote.
    last: Option<(Duration, u64)>,
}

impl<'a, 't> Worker<'a, 't> {
    pub(crate) fn new(shared: &'a Shared<'a, 't>, number: u32) -> Self {
        Self { shared, number, lane: 0, positions: FIRST_PAGES * PAGE, last: None }
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
                // The sender lives as long as what the workers share.
                _ = over.wait_for(|over| *over) => return Ok(PassEnd::PassOver),
                admitted = throttle.admit(self.number, self.last.take(), &mut stop) => {
                    if !admitted {
                        return Ok(PassEnd::Stopped);
                    }
                }
            }
            let left = options.limit.map(|limit| limit.saturating_sub(self.shared.tally().assigned));
            if left == Some(0) {
                return Ok(PassEnd::LimitReached);
            }
            let task = BatchRequest { lane: self.lane, positions: self.positions, limit: left };
            match batches.attempt(task, progress).await? {
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
        self.lane = claim.lane.id;
        self.shared.tell_resumed();
        self.shared.tally().add(counts, took);
        self.last = Some((took, counts.assigned));
        // Cut short by its limit: the rows behind were not looked at, and the checkpoint stays before them.
        let cut = claim.range.length() > 1 && left.is_some_and(|left| counts.examined >= left);
        if cut && counts.assigned < counts.examined {
            // By rows that nobody can decide: fewer of them at once, to come to others behind them.
            self.positions = half(claim.range.length());
        } else {
            self.positions =
                next_size(claim.range.length().max(self.positions / 2), took, self.shared.options.batch_time);
        }
        if !cut {
            self.shared.batches.books.moved(claim.range.until);
        }
        self.shared.tell_counts();
    }

    async fn refused(&mut self, claim: &ClaimedRange, error: &RlsError) -> Result<()> {
        self.lane = claim.lane.id;
        if claim.range.length() > 1 {
            self.positions = half(claim.range.length());
            return Ok(());
        }
        let Shared { batches, progress, .. } = self.shared;
        let (failed, refused) = steadily(progress, async || batches.step_over(claim, error).await).await?;
        // Gone meanwhile: there is no row to refuse.
        let Some(failed) = failed else { return Ok(()) };
        let mut tally = self.shared.tally();
        tally.failed.push(failed);
        if refused.max(tally.failed.len() as u64) < MOST_FAILURES {
            return Ok(());
        }
        let (table, failed) = (batches.plan.table.clone(), std::mem::take(&mut tally.failed));
        Err(Error::TooManyFailures { table, failed })
    }

    /// Waits where that may help, or tells why the pass is over.
    async fn nothing(&self) -> Result<Option<PassEnd>> {
        let Shared { batches, progress, paused, .. } = self.shared;
        let Books::Kept(run) = &batches.books else { return Ok(Some(PassEnd::PassOver)) };
        let standing = steadily(progress, async || Ok(run.standing(batches.database).await?)).await?;
        match standing.state {
            RunState::Running if standing.open_ranges == 0 => return Ok(Some(PassEnd::PassOver)),
            RunState::Running => {
                self.shared.tell_resumed();
                self.shared.rest(IDLE).await;
            }
            RunState::Paused => {
                if !paused.swap(true, Ordering::Relaxed) {
                    tell(progress, BackfillEvent::Paused { by: standing.state_by });
                }
                self.shared.rest(PAUSED).await;
            }
            ended => return Ok(Some(PassEnd::Run(ended))),
        }
        Ok(None)
    }
}

/// Grows or shrinks towards the batch time, at most by half or double, so that one odd batch does not decide. Time alone makes
/// no batch smaller than a page: only rows that refuse do.
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
