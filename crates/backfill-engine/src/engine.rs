//! The run as a whole: passes over the table until a survey finds nothing more to assign.

use std::time::{Duration, Instant};

use tenant_ops::{Lease, NewRun, Run};
use tenant_rls::{ActingRole, AuditTx, Database, Tenancy};
use tokio::sync::watch;

use crate::batch::{Batches, Books, Tally};
use crate::passes::Passes;
use crate::statements::Statements;
use crate::survey::{self, Survey};
use crate::tid::Tid;
use crate::{BackfillReport, Options, Outcome, Plan, Progress, Result, SourceCount, review};

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
        let batches = Batches { database, tenancy, plan, statements: &statements, role: &role, books };
        let mut passes = Passes::new(self, batches, stop);
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
        let (tally, books) = (passes.tally, passes.batches.books);
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
    pub(crate) async fn end(&self, mut audit: AuditTx, survey: Survey, statements: &Statements) -> Result<End> {
        let ghosts = survey::ghosts(&mut audit, self.plan, statements).await?;
        if let Some(path) = &self.options.review {
            review::write(&mut audit, self.plan, statements, path).await?;
        }
        audit.close().await?;
        Ok(End { survey, ghosts })
    }
}

/// What was found when the run had ended.
pub(crate) struct End {
    pub(crate) survey: Survey,
    pub(crate) ghosts: Vec<crate::GhostTenant>,
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
