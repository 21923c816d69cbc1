//! The run as a whole: passes over the table until a survey finds nothing more to assign.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenancy_config::Tenancy;
use tenant_ops::{Heartbeat, LEASE_TTL, Lease, LeaseWatch, NewRange, NewRun, Run, RunProcess};
use tenant_rls::{AuditTx, Database, OwnerTx};
use tokio::sync::watch;

use crate::batch::Batches;
use crate::books::Books;
use crate::closing::{FinalSurvey, Found, ReportInputs, RunTotals};
use crate::lanes::lanes;
use crate::passes::{Leadership, Passes};
use crate::pressure::Throttle;
use crate::statements::Statements;
use crate::steady::{Teller, steadily, tell};
use crate::survey::{self, Survey};
use crate::tally::ProcessCounts;
use crate::{
    BackfillEvent, BackfillOptions, BackfillPlan, BackfillReport, Cleanup, FailedRow, Preflight, Result, RunOutcome,
    review,
};

/// How often a process that is to join a run looks again.
const JOIN_AGAIN: Duration = Duration::from_millis(250);

/// A backfill that is ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Backfill<'a> {
    /// Where.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The table and its sources.
    pub plan: &'a BackfillPlan,
    /// Names the run in `tenant_ops.run`.
    pub job: &'a str,
    /// Who runs it, for a second operator to read.
    pub holder: &'a str,
    /// How.
    pub options: &'a BackfillOptions,
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
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<BackfillReport> {
        let Self { database, tenancy, plan, options, .. } = self;
        let mut statements = Statements::new(plan, options.on_conflict)?;
        let role = survey::writer(database, tenancy, plan).await?;
        let mut audit = survey::open(database, tenancy, plan).await?;
        let rows = if plan.never_null { 0 } else { survey::count_null(&mut audit, &statements).await? };
        let survey = if rows == 0 { Survey::default() } else { Survey::take(&mut audit, &statements).await? };
        if survey.assignable == 0 {
            let end = self.end(audit, survey, &statements).await?;
            let found = Found::default();
            let report = ReportInputs { plan, role: &role, options, run: None, elapsed: Duration::ZERO, found };
            return Ok(report.finish(RunOutcome::NothingToDo, ProcessCounts::default(), None, end));
        }
        audit.close().await?;
        let preflight = Preflight::look(&self, &role, survey.assignable).await?;
        let left_out = preflight.left_out();
        statements = Statements::leaving_out(plan, options.on_conflict, &left_out)?;
        progress(BackfillEvent::LookedAhead { says: preflight.says() });

        let progress = &Teller::from(Mutex::new(progress));
        let (books, lead) = self.open_books(progress).await?;
        let before = self.standing(&books).await?.unwrap_or_default();
        tell(
            progress,
            BackfillEvent::Started {
                table: plan.table.clone(),
                rows,
                role: role.to_string(),
                run: books.run().map(|run| run.id),
                resumed: books.run().is_some_and(|run| run.resumed_from.is_some()),
                helping: lead.is_none() && !options.dry_run,
            },
        );
        let (seat, note) = self.take_seat(&books).await?;
        let batches = Batches { database, tenancy, plan, statements: &statements, role: &role, books };
        let throttle = Throttle::new(&options.gentleness, self.at_once());
        let mut passes = Passes::new(self, batches, lead, stop, before, &throttle, left_out.len() as u64);
        let started = Instant::now();
        let watching = |event| {
            note_of(&event).into_iter().for_each(|now| drop(note.send(now)));
            tell(progress, event);
        };
        let result = tokio::select! {
            done = passes.run(progress) => done,
            never = throttle.watch(database, &plan.table, &watching) => match never {},
        };
        let elapsed = started.elapsed();
        let kept = self.leave(&passes, seat, result.as_ref().ok().map(|(outcome, _)| *outcome)).await;
        let (outcome, end) = result?;
        let Passes { tally, batches: Batches { books, .. }, lead, .. } = passes;
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        // One of the processes is enough.
        let tidies = lead.is_some() && outcome != RunOutcome::Cancelled;
        let aftermath = match tidies {
            true => Some(steadily(progress, async || Cleanup::tidy(database, &plan.table).await).await?),
            false => None,
        };
        let found = Found { preflight: Some(preflight), pressure: throttle.report(), aftermath };
        let report = ReportInputs { plan, role: &role, options, run: books.run(), elapsed, found };
        Ok(report.finish(outcome, tally, kept, end))
    }

    /// What identifies this run.
    pub(crate) fn new_run(&self) -> NewRun {
        NewRun {
            job: self.job.to_owned(),
            table: self.plan.table.to_string(),
            on_conflict: self.options.on_conflict.as_str(),
            sources: self.plan.names().map(str::to_owned).collect(),
        }
    }

    /// Takes the lease and opens the run, or joins the one that another process leads; for a dry run, says how to open one
    /// inside each transaction.
    async fn open_books(&self, progress: &Teller<'_>) -> Result<(Books, Option<Leadership>)> {
        let new = self.new_run();
        let lanes = lanes(self.database, self.plan).await?;
        if self.options.dry_run {
            return Ok((Books::dry(new, &lanes), None));
        }
        tenant_ops::install(self.database, self.tenancy).await?;
        let resource = new.resource();
        let mut waiting = |holder: &str| tell(progress, BackfillEvent::Waiting { holder: holder.to_owned() });
        if self.options.join
            && let Some(joined) = self.join(&new, &lanes).await?
        {
            return Ok(joined);
        }
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        self.begin(&new, lease, &lanes).await
    }

    /// Leads the run if nobody does, or helps with it. None where somebody holds the lease for something else. Whoever leads holds it
    /// before they open the run, and for a moment after they ended it: a process that comes just then looks again.
    async fn join(&self, new: &NewRun, lanes: &[NewRange]) -> Result<Option<(Books, Option<Leadership>)>> {
        let (begun, mut watch) = (Instant::now(), LeaseWatch::new(new.resource()));
        while begun.elapsed() < LEASE_TTL {
            if let Some(lease) = watch.take(self.database, self.holder).await? {
                return Ok(Some(self.begin(new, lease, lanes).await?));
            }
            if let Some(run) = Run::join(self.database, new).await? {
                return Ok(Some((Books::Kept(run), None)));
            }
            tokio::time::sleep(JOIN_AGAIN).await;
        }
        Ok(None)
    }

    async fn begin(&self, new: &NewRun, lease: Lease, lanes: &[NewRange]) -> Result<(Books, Option<Leadership>)> {
        let run = Run::resume_or_open(self.database, new, self.holder, lanes).await?;
        Ok((Books::Kept(run), Some(Leadership::new(self, lease))))
    }

    /// What all processes of the run had done before this one: rows looked at, and assigned.
    async fn standing(&self, books: &Books) -> Result<Option<(u64, u64)>> {
        let Some(run) = books.run() else { return Ok(None) };
        let standing = run.standing(self.database).await?;
        Ok(Some((standing.examined, standing.assigned())))
    }

    /// Enters this process in the list of those that work at the run, and returns where it tells what keeps it from full speed.
    async fn take_seat(&self, books: &Books) -> Result<(Option<ProcessEntry>, watch::Sender<Option<String>>)> {
        let (note, notes) = watch::channel(None);
        let Some(run) = books.run() else { return Ok((None, note)) };
        let member = RunProcess::enter(self.database, run.id, self.holder, self.at_once()).await?;
        let alive = member.keep_alive(self.database, notes);
        Ok((Some(ProcessEntry { member, _alive: alive }), note))
    }

    /// Ends what this process had of the run. Failing to is no error of its own: the lease runs out, and the run is taken up again.
    async fn leave(
        &self,
        passes: &Passes<'_>,
        seat: Option<ProcessEntry>,
        outcome: Option<RunOutcome>,
    ) -> Option<RunTotals> {
        let run = passes.batches.books.run()?;
        let kept = RunTotals::read(self, run).await.ok();
        if let Some(seat) = seat {
            let _ = seat.member.leave(self.database).await;
        }
        if let Some(lead) = &passes.lead {
            let finished = outcome == Some(RunOutcome::Done);
            // Others go on with it; one of them finds the lease free, and leads.
            let others = !finished && outcome.is_some() && kept.as_ref().is_some_and(|kept| kept.processes > 1);
            if !others {
                let _ = run.end(self.database, &lead.lease, self.holder, finished).await;
            }
            let _ = lead.lease.release(self.database).await;
        }
        kept
    }

    /// How many batches run at once: no more than there are connections.
    pub(crate) fn at_once(&self) -> u32 {
        self.options.at_once().min(self.database.max_connections())
    }

    /// Rows that the table refused in this pass.
    pub(crate) async fn refused(&self, run: &Run) -> Result<Vec<FailedRow>> {
        let mut tx = OwnerTx::begin(self.database, Duration::from_secs(5)).await?;
        let refused = run.refused(tx.connection()).await?;
        tx.rollback().await?;
        Ok(refused.into_iter().map(|(key, error)| FailedRow { key, error }).collect())
    }

    /// Names the tenants that do not exist and writes the review, in the snapshot of the last survey.
    pub(crate) async fn end(&self, mut audit: AuditTx, survey: Survey, statements: &Statements) -> Result<FinalSurvey> {
        let ghosts = survey::ghosts(&mut audit, self.plan, statements).await?;
        if let Some(path) = &self.options.review {
            review::write(&mut audit, self.plan, statements, path).await?;
        }
        audit.close().await?;
        Ok(FinalSurvey { survey, ghosts })
    }
}

/// This process in the list of those that work at the run.
struct ProcessEntry {
    member: RunProcess,
    _alive: Heartbeat,
}

/// What an event of the throttle changes of what keeps a process from full speed: nothing, or what, or that nothing does.
fn note_of(event: &BackfillEvent) -> Option<Option<String>> {
    match event {
        BackfillEvent::Slowed { reason, waits: true, .. } => Some(Some(format!("waits: {}", reason.says))),
        BackfillEvent::Slowed { reason, workers, .. } => {
            Some(Some(format!("slowed, {workers} at work: {}", reason.says)))
        }
        BackfillEvent::FullSpeedAgain { .. } => Some(None),
        _ => None,
    }
}
