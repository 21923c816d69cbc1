//! Passes over the table, until a survey finds nothing more to assign. One process leads: it surveys and begins the next pass. Others
//! help with its lanes, and one of them takes over where it is gone.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use tenant_ops::{Heartbeat, Lease, LeaseWatch, RunState};
use tokio::sync::watch;

use crate::batch::Batches;
use crate::books::Books;
use crate::closing::FinalSurvey;
use crate::engine::Backfill;
use crate::lanes::lanes;
use crate::pressure::Throttle;
use crate::steady::{Teller, steadily, tell};
use crate::survey::{self, Survey};
use crate::tally::ProcessCounts;
use crate::worker::{PassEnd, Shared, Worker};
use crate::{BackfillEvent, Result, RunOutcome};

/// Passes that found nothing while assignable rows are left: their rows are locked, or refuse.
const IDLE_PASSES: u32 = 3;

/// So many passes, each of which found rows, and still there are more: somebody keeps writing them.
pub(crate) const MOST_PASSES: i32 = 8;

/// How long to wait for locked rows between such passes.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// How often the counts of other processes are asked for, and a helper asks whether there is more to do.
const ASK: Duration = Duration::from_millis(500);

/// The lease of whoever leads, and what keeps it.
pub(crate) struct Leadership {
    pub(crate) lease: Lease,
    _alive: Heartbeat,
}

impl Leadership {
    pub(crate) fn new(backfill: &Backfill<'_>, lease: Lease) -> Self {
        Self { _alive: lease.keep_alive(backfill.database), lease }
    }
}

/// The passes of one run.
pub(crate) struct Passes<'a> {
    backfill: Backfill<'a>,
    pub(crate) batches: Batches<'a>,
    /// None for a dry run, and where another process leads.
    pub(crate) lead: Option<Leadership>,
    stop: watch::Receiver<bool>,
    pub(crate) tally: Mutex<ProcessCounts>,
    /// What all processes had done when this one began: rows looked at, and assigned.
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
        Self { backfill, batches, lead, stop, tally: Mutex::default(), before, throttle, left_out }
    }

    pub(crate) async fn run(&mut self, progress: &Teller<'_>) -> Result<(RunOutcome, FinalSurvey)> {
        let mut idle = 0;
        let mut assigned_before = self.before.1;
        loop {
            let ended = self.pass(progress).await?;
            let ended = match ended {
                PassEnd::PassOver if self.helps() => self.wait_for_leader(progress).await?,
                ended => Some(ended),
            };
            let Some(ended) = ended else { continue };
            let (assigned, refused) = steadily(progress, async || self.assigned().await).await?;
            idle = if assigned == assigned_before { idle + 1 } else { 0 };
            assigned_before = assigned;
            let over = |survey: Survey| {
                self.backfill.options.dry_run
                    || survey.assignable <= refused + self.left_out
                    || idle >= IDLE_PASSES
                    || self.batches.books.run().is_some_and(|run| run.pass >= MOST_PASSES)
            };
            let decide = |survey| outcome(ended).or_else(|| over(survey).then_some(RunOutcome::Done));
            tell(progress, BackfillEvent::Surveying);
            let (survey, end) = steadily(progress, async || self.survey(decide).await).await?;
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
        self.lead.is_none() && self.batches.books.run().is_some()
    }

    /// Works through the lanes that this process gets.
    async fn pass(&self, progress: &Teller<'_>) -> Result<PassEnd> {
        let Self { backfill, batches, stop, tally, throttle, .. } = self;
        let shared = &Shared::new(batches, backfill.options, progress, stop.clone(), tally, throttle);
        let workers = join_all((0..backfill.at_once()).map(|number| Worker::new(shared, number).run()));
        let watching = std::pin::pin!(self.watch_others(shared));
        // What is running is waited for also where one of them failed: it commits, and need not be done again.
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

    /// Shows what other processes do.
    async fn watch_others(&self, shared: &Shared<'_, '_>) -> Infallible {
        let Books::Kept(run) = &self.batches.books else { return std::future::pending().await };
        loop {
            tokio::time::sleep(ASK).await;
            // A server that is away is the workers' matter.
            if let Ok(standing) = run.standing(self.batches.database).await {
                let since = |now: u64, before: u64| now.saturating_sub(before);
                shared.all_did(since(standing.examined, self.before.0), since(standing.assigned(), self.before.1));
            }
        }
    }

    /// Waits for what whoever leads does after a pass: none is another pass, in which this process goes on; else how it ended.
    async fn wait_for_leader(&mut self, progress: &Teller<'_>) -> Result<Option<PassEnd>> {
        let Books::Kept(run) = &self.batches.books else { return Ok(Some(PassEnd::PassOver)) };
        let &Backfill { database, holder, .. } = &self.backfill;
        let mut watch = LeaseWatch::new(self.backfill.new_run().resource());
        loop {
            if *self.stop.borrow() {
                return Ok(Some(PassEnd::Stopped));
            }
            let standing = steadily(progress, async || Ok(run.standing(database).await?)).await?;
            match standing.state {
                RunState::Running if standing.open_ranges > 0 => return Ok(None),
                RunState::Running => {
                    let lease = steadily(progress, async || Ok(watch.take(database, holder).await?)).await?;
                    if let Some(lease) = lease {
                        tell(progress, BackfillEvent::Leading);
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

    /// Counts what is left and, where the run ends with this, names the tenants that do not exist and writes the review.
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

    /// Rows that all processes assigned, and rows that were refused in this pass.
    async fn assigned(&self) -> Result<(u64, u64)> {
        let Books::Kept(run) = &self.batches.books else {
            let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok((tally.assigned, tally.failed.len() as u64));
        };
        let standing = run.standing(self.batches.database).await?;
        let refused = self.backfill.refused(run).await?;
        Ok((standing.assigned(), refused.len() as u64))
    }

    async fn next_pass(&mut self, survey: Survey, progress: &Teller<'_>) -> Result<()> {
        let &Batches { database, plan, .. } = &self.batches;
        let lanes = steadily(progress, async || lanes(database, plan).await).await?;
        let (Books::Kept(run), Some(lead)) = (&mut self.batches.books, &self.lead) else { return Ok(()) };
        steadily(progress, async || Ok(run.next_pass(database, &lead.lease, &lanes).await?)).await?;
        tell(progress, BackfillEvent::NextPass { pass: run.pass, assignable: survey.assignable });
        Ok(())
    }
}

/// How the run ends for this process, where it ends with that.
fn outcome(ended: PassEnd) -> Option<RunOutcome> {
    match ended {
        PassEnd::PassOver => None,
        PassEnd::Stopped | PassEnd::Run(RunState::Stopped | RunState::Running | RunState::Paused) => {
            Some(RunOutcome::Stopped)
        }
        PassEnd::LimitReached => Some(RunOutcome::LimitReached),
        PassEnd::Run(RunState::Cancelled | RunState::Undone) => Some(RunOutcome::Cancelled),
        PassEnd::Run(RunState::Done) => Some(RunOutcome::Done),
    }
}
