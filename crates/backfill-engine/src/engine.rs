//! The run as a whole: passes over the table until a survey finds nothing more to assign.

use std::time::{Duration, Instant};

use tenant_ops::{Lease, NewRun, Run};
use tenant_rls::{ActingRole, AuditTx, Database, Error as RlsError, Tenancy};
use tokio::sync::watch;

use crate::batch::{Batches, Books, Tally};
use crate::statements::Statements;
use crate::survey::{self, Survey};
use crate::tid::{Range, Tid};
use crate::{BackfillReport, Options, Outcome, Plan, Progress, Result, SourceCount, review};

/// Pages of the first batch; measurement takes over from there.
const FIRST_PAGES: u64 = 32;

/// A batch over a table with little to do must not grow until Ctrl-C waits for it.
const MOST_PAGES: u64 = 8192;

/// Passes that found nothing while assignable rows are left: their rows are locked, or refuse.
const IDLE_PASSES: u32 = 3;

/// How long to wait for locked rows between such passes.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// A backfill that is ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Backfill<'a> {
    /// Where.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The table and its sources.
    pub plan: &'a Plan,
    /// Names the run in `tenant_ops.run`.
    pub job: &'a str,
    /// Who runs it, for a second operator to read.
    pub holder: &'a str,
    /// How.
    pub options: &'a Options,
}

impl Backfill<'_> {
    /// Runs to the end, or until `stop` turns true: the running batch is committed then, and the next run goes on from
    /// there.
    ///
    /// # Errors
    /// [`tenant_rls::Error::CannotSee`] where no role can be proven to see every row; [`tenant_ops::Error::Held`] where
    /// another run works on the table; [`crate::Error`] for the rest. What was committed stays.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<BackfillReport> {
        let Self { database, tenancy, plan, options, .. } = self;
        let statements = Statements::new(plan, options.on_conflict)?;
        let role = survey::writer(database, tenancy, plan).await?;
        let mut audit = survey::open(database, tenancy, plan).await?;
        let rows = if plan.never_null { 0 } else { survey::count_null(&mut audit, &statements).await? };
        let survey = if rows == 0 { Survey::default() } else { Survey::take(&mut audit, &statements).await? };
        if survey.assignable == 0 {
            let end = self.end(audit, survey, &statements).await?;
            let report = Report { plan, role: &role, options, run: None, elapsed: Duration::ZERO };
            return Ok(report.finish(Outcome::NothingToDo, Tally::default(), None, end));
        }
        audit.close().await?;

        let books = self.open_books(progress).await?;
        let resumed = books.run().filter(|run| run.resumed_from.is_some());
        progress(Progress::Started {
            table: plan.table.clone(),
            rows,
            role: role.to_string(),
            run: books.run().map(|run| run.id),
            resumed_at_page: resumed.and_then(|run| Tid::parse(&run.next_tid)).map(Tid::page_number),
        });
        let heartbeat = books.keep_alive(database);
        let tally = Tally::default();
        let batches = Batches { database, tenancy, plan, statements: &statements, role: &role, books, tally };
        let mut passes = Passes { backfill: self, batches, stop, pages: FIRST_PAGES };
        let started = Instant::now();
        let result = passes.run(progress).await;
        let elapsed = started.elapsed();
        drop(heartbeat);
        let (outcome, end) = match result {
            Ok(done) => done,
            Err(error) => {
                passes.batches.release(false).await;
                return Err(error);
            }
        };
        let assigned_by = passes.batches.release(outcome == Outcome::Done).await;
        let Batches { books, tally, .. } = passes.batches;
        let report = Report { plan, role: &role, options, run: books.run(), elapsed };
        Ok(report.finish(outcome, tally, assigned_by, end))
    }

    /// Takes the lease and opens the run, or, for a dry run, says how to inside each transaction.
    async fn open_books(&self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Books> {
        let new = NewRun {
            job: self.job.to_owned(),
            table: self.plan.table.to_string(),
            on_conflict: self.options.on_conflict.as_str(),
            sources: self.plan.names().map(str::to_owned).collect(),
        };
        if self.options.dry_run {
            return Ok(Books::Dry { new, holder: self.holder.to_owned() });
        }
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(Progress::Waiting { holder: holder.to_owned() });
        let lease = Lease::acquire(self.database, &new.resource(), self.holder, &mut waiting).await?;
        Ok(Books::Kept { run: Run::resume_or_open(self.database, &new).await?, lease })
    }

    /// Names the tenants that do not exist and writes the review, in the snapshot of the last survey.
    async fn end(&self, mut audit: AuditTx, survey: Survey, statements: &Statements) -> Result<End> {
        let ghosts = survey::ghosts(&mut audit, self.plan, statements).await?;
        if let Some(path) = &self.options.review {
            review::write(&mut audit, self.plan, statements, path).await?;
        }
        audit.close().await?;
        Ok(End { survey, ghosts })
    }
}

/// The passes of one run.
struct Passes<'a> {
    backfill: Backfill<'a>,
    batches: Batches<'a>,
    stop: watch::Receiver<bool>,
    pages: u64,
}

/// What was found when the run had ended.
struct End {
    survey: Survey,
    ghosts: Vec<crate::GhostTenant>,
}

impl Passes<'_> {
    async fn run(&mut self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(Outcome, End)> {
        let mut idle = 0;
        loop {
            let before = self.batches.tally.assigned;
            let interrupted = self.pass(progress).await?;
            progress(Progress::Surveying);
            let &Batches { database, tenancy, plan, statements, .. } = &self.batches;
            let mut audit = survey::open(database, tenancy, plan).await?;
            let survey = Survey::take(&mut audit, statements).await?;
            idle = if self.batches.tally.assigned == before { idle + 1 } else { 0 };
            let failed = self.batches.tally.failed.len() as u64;
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
        let mut from = match &self.batches.books {
            Books::Kept { run, .. } => Tid::parse(&run.next_tid).unwrap_or(Tid::page(0)),
            Books::Dry { .. } => Tid::page(0),
        };
        while from < end {
            if *self.stop.borrow() {
                return Ok(Some(Outcome::Stopped));
            }
            let left = self.backfill.options.limit.map(|limit| limit.saturating_sub(self.batches.tally.assigned));
            if left == Some(0) {
                return Ok(Some(Outcome::LimitReached));
            }
            let until = Tid::page(from.page_number() + self.pages).min(end);
            let took = self.batches.work(Range { from, until }, left, progress).await?;
            self.pages = next_size(self.pages, took, self.backfill.options.batch_time);
            progress(Progress::Batch { examined: self.batches.tally.examined, assigned: self.batches.tally.assigned });
            from = until;
        }
        let reached = self.backfill.options.limit.is_some_and(|limit| self.batches.tally.assigned >= limit);
        Ok(reached.then_some(Outcome::LimitReached))
    }
}

/// Grows or shrinks towards the batch time, at most by half or double, so that one odd batch does not decide.
fn next_size(pages: u64, took: Duration, target: Duration) -> u64 {
    let ratio = target.as_secs_f64() / took.as_secs_f64().max(0.001);
    ((pages as f64 * ratio.clamp(0.5, 2.0)) as u64).clamp(1, MOST_PAGES)
}

async fn pages(database: &Database, plan: &Plan) -> Result<u64> {
    let mut tx = tenant_rls::OwnerTx::begin(database, Duration::from_secs(5)).await?;
    let pages: i64 = sqlx::query_scalar(include_str!("../../../sql/backfill/pages.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .fetch_one(tx.connection())
        .await
        .map_err(RlsError::query("asking for the size of the table"))?;
    tx.rollback().await?;
    Ok(u64::try_from(pages).unwrap_or_default())
}

impl Batches<'_> {
    /// Ends run and lease. Failing to is no error of its own: the lease runs out, and the run is taken up again.
    async fn release(&self, finished: bool) -> Option<Vec<i64>> {
        let Books::Kept { run, lease } = &self.books else { return None };
        let assigned_by = run.end(self.database, finished).await.ok();
        let _ = lease.release(self.database).await;
        assigned_by
    }
}

/// What the report is made from.
struct Report<'a> {
    plan: &'a Plan,
    role: &'a ActingRole,
    options: &'a Options,
    run: Option<&'a Run>,
    elapsed: Duration,
}

impl Report<'_> {
    fn finish(&self, outcome: Outcome, tally: Tally, kept: Option<Vec<i64>>, end: End) -> BackfillReport {
        let by_source = kept.unwrap_or(tally.assigned_by);
        let count =
            |at: usize| by_source.get(at).copied().and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default();
        let assigned_by_source: Vec<SourceCount> = self
            .plan
            .names()
            .enumerate()
            .map(|(at, name)| SourceCount { source: name.to_owned(), rows: count(at) })
            .collect();
        let survey = end.survey;
        // The survey of a dry run still finds what the batches took back.
        let undone = if self.options.dry_run { tally.assigned } else { 0 };
        let seconds = self.elapsed.as_secs_f64();
        BackfillReport {
            schema: "backfill/1",
            run: self.run.map(|run| run.id),
            table: self.plan.table.clone(),
            role: self.role.to_string(),
            dry_run: self.options.dry_run,
            outcome,
            resumed: self.run.is_some_and(|run| run.resumed_from.is_some()),
            assigned: assigned_by_source.iter().map(|source| source.rows).sum(),
            assigned_by_source,
            conflicts: survey.conflicts,
            unresolved: survey.unresolved,
            assignable: survey.assignable.saturating_sub(undone),
            remaining: survey.remaining().saturating_sub(undone),
            failed: tally.failed,
            ghost_tenants: end.ghosts,
            sources_missing: self.plan.missing.clone(),
            review: self.options.review.clone(),
            passes: self.run.map_or(i32::from(tally.batches > 0), |run| run.pass),
            batches: tally.batches,
            longest_batch_ms: u64::try_from(tally.longest.as_millis()).unwrap_or(u64::MAX),
            seconds,
            rows_per_second: if seconds > 0.0 { tally.assigned as f64 / seconds } else { 0.0 },
        }
    }
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
