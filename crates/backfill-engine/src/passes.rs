//! Passes over the table: ranges of pages for several workers at once, until a survey finds nothing more to assign.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tenant_rls::{Database, Error as RlsError, OwnerTx};
use tokio::sync::watch;

use crate::batch::{Batches, Books, Tally, Task, Teller, tell};
use crate::engine::{Backfill, End};
use crate::survey::{self, Survey};
use crate::tid::{Range, Tid};
use crate::{Outcome, Plan, Progress, Result};

/// Pages of the first batch; measurement takes over from there.
const FIRST_PAGES: u64 = 32;

/// A batch over a table with little to do must not grow until Ctrl-C waits for it.
const MOST_PAGES: u64 = 8192;

/// Passes that found nothing while assignable rows are left: their rows are locked, or refuse.
const IDLE_PASSES: u32 = 3;

/// How long to wait for locked rows between such passes.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// The passes of one run.
pub(crate) struct Passes<'a> {
    backfill: Backfill<'a>,
    pub(crate) batches: Batches<'a>,
    stop: watch::Receiver<bool>,
    pages: u64,
    pub(crate) tally: Tally,
}

impl<'a> Passes<'a> {
    pub(crate) fn new(backfill: Backfill<'a>, batches: Batches<'a>, stop: watch::Receiver<bool>) -> Self {
        Self { backfill, batches, stop, pages: FIRST_PAGES, tally: Tally::default() }
    }

    pub(crate) async fn run(&mut self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(Outcome, End)> {
        let mut idle = 0;
        loop {
            let before = self.tally.assigned;
            let interrupted = self.pass(progress).await?;
            progress(Progress::Surveying);
            let &Batches { database, tenancy, plan, statements, .. } = &self.batches;
            let mut audit = survey::open(database, tenancy, plan).await?;
            let survey = Survey::take(&mut audit, statements).await?;
            idle = if self.tally.assigned == before { idle + 1 } else { 0 };
            let failed = self.tally.failed.len() as u64;
            let over = self.backfill.options.dry_run || survey.assignable <= failed || idle >= IDLE_PASSES;
            if let Some(outcome) = interrupted.or(over.then_some(Outcome::Done)) {
                return Ok((outcome, self.backfill.end(audit, survey, statements).await?));
            }
            audit.close().await?;
            if idle > 0 {
                tokio::time::sleep(IDLE_WAIT).await;
            }
            if let Books::Kept { run, .. } = &mut self.batches.books {
                run.next_pass(database).await?;
                progress(Progress::NextPass { pass: run.pass, assignable: survey.assignable });
            }
        }
    }

    /// Reads through the table once, and tells why if it did not come to the end.
    async fn pass(&mut self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Option<Outcome>> {
        let end = Tid::page(pages(self.batches.database, self.batches.plan).await?);
        let mut next = match &self.batches.books {
            Books::Kept { run, .. } => Tid::parse(&run.next_tid).unwrap_or(Tid::page(0)),
            Books::Dry { .. } => Tid::page(0),
        };
        let (workers, progress) = (self.workers(), Teller::from(Mutex::new(progress)));
        let Self { backfill, batches, stop, pages, tally } = self;
        let (batches, limit) = (&*batches, backfill.options.limit);
        // Ranges that are being worked on, by where they begin.
        let mut open = BTreeSet::new();
        let mut running = FuturesUnordered::new();
        let mut failed = None;
        let interrupted = loop {
            let left = limit.map(|limit| limit.saturating_sub(tally.assigned));
            let interrupted = match (*stop.borrow(), left) {
                (true, _) => Some(Outcome::Stopped),
                (false, Some(0)) => Some(Outcome::LimitReached),
                _ => None,
            };
            while failed.is_none() && interrupted.is_none() && running.len() < workers && next < end {
                let range = Range { from: next, until: Tid::page(next.page_number() + *pages).min(end) };
                let task = Task { range, unfinished_before: open.first().copied(), limit: left };
                open.insert(range.from);
                next = range.until;
                let progress = &progress;
                running.push(async move { (range.from, batches.work(task, progress).await) });
            }
            // What is running is waited for also where one of them failed: it commits, and need not be done again.
            let Some((from, done)) = running.next().await else { break interrupted.filter(|_| next < end) };
            open.remove(&from);
            match done {
                Ok(done) => {
                    *pages = next_size(*pages, done.longest, backfill.options.batch_time);
                    tally.merge(done);
                    tell(&progress, Progress::Batch { examined: tally.examined, assigned: tally.assigned });
                    failed = failed.or_else(|| tally.check(batches.plan).err());
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        };
        if let Some(error) = failed {
            return Err(error);
        }
        let reached = limit.is_some_and(|limit| tally.assigned >= limit);
        Ok(interrupted.or(reached.then_some(Outcome::LimitReached)))
    }

    /// How many batches run at once.
    fn workers(&self) -> usize {
        let options = self.backfill.options;
        // A limit is counted down from batch to batch, and the books of a dry run lock each other out.
        let one = options.dry_run || options.limit.is_some();
        if one { 1 } else { usize::try_from(options.workers.max(1)).unwrap_or(1) }
    }
}

/// Grows or shrinks towards the batch time, at most by half or double, so that one odd batch does not decide.
fn next_size(pages: u64, took: Duration, target: Duration) -> u64 {
    let ratio = target.as_secs_f64() / took.as_secs_f64().max(0.001);
    ((pages as f64 * ratio.clamp(0.5, 2.0)) as u64).clamp(1, MOST_PAGES)
}

async fn pages(database: &Database, plan: &Plan) -> Result<u64> {
    let mut tx = OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let pages: i64 = sqlx::query_scalar(include_str!("../../../sql/backfill/pages.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("asking for the size of the table"))?;
    tx.rollback().await?;
    Ok(u64::try_from(pages).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_grows_and_shrinks_towards_its_time() {
        let target = Duration::from_millis(250);
        assert_eq!(next_size(100, Duration::from_millis(10), target), 200);
        assert_eq!(next_size(100, Duration::from_secs(9), target), 50);
        assert_eq!(next_size(100, Duration::from_millis(200), target), 125);
        assert_eq!(next_size(1, Duration::from_secs(9), target), 1);
    }
}
