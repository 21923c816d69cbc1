//! Passes over the table until a survey finds no more rows to assign. One process leads: it surveys and begins the next
//! pass. The others help with its ranges, and one of them takes over if the leader is gone.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use tenant_ops::{Heartbeat, Lease, LeaseWatch, RunState};
use tokio::sync::watch;

use crate::error::Result;
use crate::options::MOST_PASSES;
use crate::progress::{BackfillEvent, ProgressSink, send};
use crate::retry::retry_lost_connection;
use crate::run::batch::Batches;
use crate::run::context::Backfill;
use crate::run::counts::ProcessCounts;
use crate::run::ranges::ranges;
use crate::run::recorder::RunRecorder;
use crate::run::report::RunOutcome;
use crate::run::worker::{PassEnd, Shared, Worker};
use crate::survey::{self, FinalSurvey, Survey};
use crate::throttle::Throttle;

/// The most passes in a row that assign nothing although assignable rows are left, as these are locked or refused.
const IDLE_PASSES: u32 = 3;

/// How long to wait for locked rows between such passes.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// How often a process reads the counts of the others, and a process without the lease asks for more to do.
const ASK: Duration = Duration::from_millis(500);

/// The lease of the leader and its heartbeat.
pub(crate) struct Leadership {
    pub(crate) lease: Lease,
    _heartbeat: Heartbeat,
}

impl Leadership {
    pub(crate) fn new(backfill: &Backfill<'_>, lease: Lease) -> Self {
        Self { _heartbeat: lease.keep_alive(backfill.database), lease }
    }
}

/// The passes of one run.
pub(crate) struct Passes<'a> {
    backfill: Backfill<'a>,
    pub(crate) batches: Batches<'a>,
    /// None for a dry run, and where another process leads.
    pub(crate) lead: Option<Leadership>,
    stop: watch::Receiver<bool>,
    pub(crate) counts: Mutex<ProcessCounts>,
    /// The rows that all processes had examined and assigned when this one began.
    before: (u64, u64),
    throttle: &'a Throttle,
    /// Rows that batches leave out, though a survey counts them as assignable.
    left_out: u64,
}

impl<'a> Passes<'a> {
    pub(crate) fn new(
        backfill: Backfill<'a>,
        batches: Batches<'a>,
        lead: Option<Leadership>,
        stop: watch::Receiver<bool>,
        before: (u64, u64),
        throttle: &'a Throttle,
        left_out: u64,
    ) -> Self {
        Self { backfill, batches, lead, stop, counts: Mutex::default(), before, throttle, left_out }
    }

    pub(crate) async fn run(&mut self, progress: &ProgressSink<'_>) -> Result<(RunOutcome, FinalSurvey)> {
        let mut idle = 0;
        let mut assigned_before = self.before.1;
        loop {
            let ended = self.pass(progress).await?;
            let ended = match ended {
                PassEnd::PassOver if self.helps() => self.wait_for_leader(progress).await?,
                ended => Some(ended),
            };
            let Some(ended) = ended else { continue };
            let (assigned, refused) = retry_lost_connection(progress, async || self.assigned().await).await?;
            idle = if assigned == assigned_before { idle + 1 } else { 0 };
            assigned_before = assigned;
            let over = |survey: Survey| {
                self.backfill.options.dry_run
                    || survey.assignable <= refused + self.left_out
                    || idle >= IDLE_PASSES
                    || self.batches.recorder.run().is_some_and(|run| run.pass >= MOST_PASSES)
            };
            let decide = |survey| outcome(ended).or_else(|| over(survey).then_some(RunOutcome::Done));
            send(progress, BackfillEvent::Surveying);
            let (survey, end) = retry_lost_connection(progress, async || self.survey(decide).await).await?;
            if let Some(end) = end {
                return Ok(end);
            }
            if idle > 0 {
                tokio::time::sleep(IDLE_WAIT).await;
            }
            self.next_pass(survey, progress).await?;
        }
    }

    fn helps(&self) -> bool {
        self.lead.is_none() && self.batches.recorder.run().is_some()
    }

    /// Works through the ranges that this process claims.
    async fn pass(&self, progress: &ProgressSink<'_>) -> Result<PassEnd> {
        let Self { backfill, batches, stop, counts, throttle, .. } = self;
        let shared = &Shared::new(batches, backfill.options, progress, stop.clone(), counts, throttle);
        let workers = join_all((0..backfill.at_once()).map(|number| Worker::new(shared, number).run()));
        let watching = std::pin::pin!(self.watch_others(shared));
        // All running batches are awaited, even if one has failed: they commit, and need not be repeated.
        let done = match select(std::pin::pin!(workers), watching).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        };
        let mut ended = PassEnd::PassOver;
        for worker in done {
            match worker? {
                PassEnd::PassOver => {}
                other => ended = other,
            }
        }
        Ok(ended)
    }

    /// Reports the counts of other processes.
    async fn watch_others(&self, shared: &Shared<'_, '_>) -> Infallible {
        let RunRecorder::Recorded(run) = &self.batches.recorder else { return std::future::pending().await };
        loop {
            tokio::time::sleep(ASK).await;
            // The workers handle a lost server.
            if let Ok(now) = run.progress(self.batches.database).await {
                let since = |now: u64, before: u64| now.saturating_sub(before);
                shared.all_did(since(now.examined, self.before.0), since(now.assigned(), self.before.1));
            }
        }
    }

    /// Waits for the leader after a pass. Returns none if another pass begins, and otherwise how the run ended for this
    /// process.
    async fn wait_for_leader(&mut self, progress: &ProgressSink<'_>) -> Result<Option<PassEnd>> {
        let RunRecorder::Recorded(run) = &self.batches.recorder else { return Ok(Some(PassEnd::PassOver)) };
        let &Backfill { database, holder, .. } = &self.backfill;
        let mut watch = LeaseWatch::new(self.backfill.new_run().resource());
        loop {
            if *self.stop.borrow() {
                return Ok(Some(PassEnd::Stopped));
            }
            let now = retry_lost_connection(progress, async || Ok(run.progress(database).await?)).await?;
            match now.state {
                RunState::Running if now.open_ranges > 0 => return Ok(None),
                RunState::Running => {
                    let lease =
                        retry_lost_connection(progress, async || Ok(watch.try_acquire(database, holder).await?))
                            .await?;
                    if let Some(lease) = lease {
                        send(progress, BackfillEvent::Leading);
                        self.lead = Some(Leadership::new(&self.backfill, lease));
                        return Ok(Some(PassEnd::PassOver));
                    }
                }
                RunState::Paused => {}
                ended => return Ok(Some(PassEnd::Run(ended))),
            }
            tokio::time::sleep(ASK).await;
        }
    }

    /// Counts the rows that are left. If the run ends with this, also finds the tenants that do not exist and writes
    /// the review.
    async fn survey(
        &self,
        decide: impl Fn(Survey) -> Option<RunOutcome>,
    ) -> Result<(Survey, Option<(RunOutcome, FinalSurvey)>)> {
        let &Batches { database, tenancy, plan, statements, .. } = &self.batches;
        let mut audit = survey::open(database, tenancy, plan).await?;
        let survey = Survey::take(&mut audit, statements).await?;
        if let Some(outcome) = decide(survey) {
            return Ok((survey, Some((outcome, self.backfill.end(audit, survey, statements).await?))));
        }
        audit.close().await?;
        Ok((survey, None))
    }

    /// The rows that all processes assigned, and those that were refused in this pass.
    async fn assigned(&self) -> Result<(u64, u64)> {
        let RunRecorder::Recorded(run) = &self.batches.recorder else {
            let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok((counts.assigned, counts.failed.len() as u64));
        };
        let now = run.progress(self.batches.database).await?;
        let refused = self.backfill.refused(run).await?;
        Ok((now.assigned(), refused.len() as u64))
    }

    async fn next_pass(&mut self, survey: Survey, progress: &ProgressSink<'_>) -> Result<()> {
        let &Batches { database, plan, .. } = &self.batches;
        let ranges = retry_lost_connection(progress, async || ranges(database, plan).await).await?;
        let (RunRecorder::Recorded(run), Some(lead)) = (&mut self.batches.recorder, &self.lead) else { return Ok(()) };
        retry_lost_connection(progress, async || Ok(run.next_pass(database, &lead.lease, &ranges).await?)).await?;
        send(progress, BackfillEvent::NextPass { pass: run.pass, assignable: survey.assignable });
        Ok(())
    }
}

/// The outcome of the run for this process, if it ends.
fn outcome(ended: PassEnd) -> Option<RunOutcome> {
    match ended {
        PassEnd::PassOver => None,
        PassEnd::Stopped | PassEnd::Run(RunState::Stopped | RunState::Running | RunState::Paused) => {
            Some(RunOutcome::Stopped)
        }
        PassEnd::LimitReached => Some(RunOutcome::LimitReached),
        PassEnd::Run(RunState::Cancelled | RunState::Undoing | RunState::Undone) => Some(RunOutcome::Cancelled),
        PassEnd::Run(RunState::Done) => Some(RunOutcome::Done),
    }
}
