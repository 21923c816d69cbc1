//! A run: passes over the table until a survey finds no more rows to assign.

pub(crate) mod batch;
pub(crate) mod cleanup;
pub(crate) mod context;
pub(crate) mod counts;
pub(crate) mod passes;
pub(crate) mod ranges;
pub(crate) mod recorder;
pub(crate) mod report;
pub(crate) mod summary;
pub(crate) mod tid;
pub(crate) mod worker;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenant_ops::{Heartbeat, LEASE_TTL, Lease, LeaseWatch, NewRange, NewRun, Run, RunProcess};
use tokio::sync::watch;

use crate::error::Result;
use crate::preflight::{Preflight, side_effects};
use crate::progress::{BackfillEvent, ProgressSink, send};
use crate::retry::retry_lost_connection;
use crate::run::batch::Batches;
use crate::run::cleanup::Cleanup;
use crate::run::context::Backfill;
use crate::run::counts::ProcessCounts;
use crate::run::passes::{Leadership, Passes};
use crate::run::ranges::ranges;
use crate::run::recorder::RunRecorder;
use crate::run::report::{BackfillReport, RunOutcome};
use crate::run::summary::{ReportInputs, RunObservations, RunTotals};
use crate::statements::Statements;
use crate::survey::{self, Survey};
use crate::throttle::Throttle;

/// How often a process that wants to join a run tries again.
const JOIN_AGAIN: Duration = Duration::from_millis(250);

impl Backfill<'_> {
    /// Runs to the end, or until `stop` turns true. The current batch is committed then, and the next run continues
    /// from there.
    ///
    /// # Errors
    /// [`tenant_rls::Error::CannotSee`] if no role is proven to see every row; [`tenant_ops::Error::Held`] if another
    /// run works on the table; the errors of [`Preflight::inspect`] if nothing must be written;
    /// [`Error::TooManyFailures`](crate::Error::TooManyFailures) if the table refuses row after row;
    /// [`Error::File`](crate::Error::File) if the review cannot be written; [`Error::Database`](crate::Error::Database)
    /// or [`Error::Ops`](crate::Error::Ops) if the database or the book-keeping fails. Committed batches stay.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<BackfillReport> {
        let Self { database, tenancy, plan, options, .. } = self;
        let mut statements = Statements::new(plan, options.on_conflict)?;
        let role = survey::writer(database, tenancy, plan).await?;
        let mut audit = survey::open(database, tenancy, plan).await?;
        let rows = if plan.never_null && plan.selection.only_without() {
            0
        } else {
            survey::count_null(&mut audit, &statements).await?
        };
        let survey = if rows == 0 { Survey::default() } else { Survey::take(&mut audit, &statements).await? };
        if survey.assignable == 0 {
            let end = self.end(audit, survey, &statements).await?;
            let observations = RunObservations::default();
            let report = ReportInputs { plan, role: &role, options, run: None, elapsed: Duration::ZERO, observations };
            return Ok(report.finish(RunOutcome::NothingToDo, ProcessCounts::default(), None, end));
        }
        audit.close().await?;
        side_effects::refuse_unhandled(database, tenancy, plan).await?;
        let preflight =
            Preflight::inspect(database, tenancy, plan, options.on_conflict, &role, survey.assignable).await?;
        let left_out = preflight.left_out();
        statements = Statements::leaving_out(plan, options.on_conflict, &left_out)?;
        let absent = plan.absent.iter().map(ToString::to_string);
        progress(BackfillEvent::LookedAhead { says: absent.chain(preflight.says()).collect() });

        let progress = &ProgressSink::from(Mutex::new(progress));
        let (recorder, lead) = self.open_recorder(progress).await?;
        let before = self.rows_before(&recorder).await?.unwrap_or_default();
        send(
            progress,
            BackfillEvent::Started {
                about: plan.selection.kind(),
                table: plan.table.clone(),
                rows,
                role: role.to_string(),
                run: recorder.run().map(|run| run.id),
                resumed: recorder.run().is_some_and(|run| run.resumed_from.is_some()),
                helping: lead.is_none() && !options.dry_run,
            },
        );
        let (entry, note) = self.enter_process(&recorder).await?;
        let batches = Batches { database, tenancy, plan, statements: &statements, role: &role, recorder };
        let throttle = Throttle::new(&options.throttle, self.at_once());
        let mut passes = Passes::new(self, batches, lead, stop, before, &throttle, left_out.len() as u64);
        let started = Instant::now();
        let watching = |event| {
            note_of(&event).into_iter().for_each(|now| drop(note.send(now)));
            send(progress, event);
        };
        let result = tokio::select! {
            done = passes.run(progress) => done,
            never = throttle.watch(database, &plan.table, &watching) => match never {},
        };
        let elapsed = started.elapsed();
        let totals = self.leave(&passes, entry, result.as_ref().ok().map(|(outcome, _)| *outcome)).await;
        let (outcome, end) = result?;
        let Passes { counts, batches: Batches { recorder, .. }, lead, .. } = passes;
        let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Only one of the processes needs to do this.
        let cleans_up = lead.is_some() && outcome != RunOutcome::Cancelled;
        let cleanup = match cleans_up {
            true => {
                Some(retry_lost_connection(progress, async || Cleanup::analyze(database, &plan.table).await).await?)
            }
            false => None,
        };
        let observations = RunObservations { preflight: Some(preflight), throttle: throttle.report(), cleanup };
        let report = ReportInputs { plan, role: &role, options, run: recorder.run(), elapsed, observations };
        Ok(report.finish(outcome, counts, totals, end))
    }

    /// Acquires the lease and opens the run, or joins the run of another process. A dry run opens its run in each
    /// transaction.
    async fn open_recorder(&self, progress: &ProgressSink<'_>) -> Result<(RunRecorder, Option<Leadership>)> {
        let new = self.new_run();
        let ranges = ranges(self.database, self.plan).await?;
        if self.options.dry_run {
            return Ok((RunRecorder::dry(new, &ranges), None));
        }
        tenant_ops::install(self.database, self.tenancy).await?;
        let resource = new.resource();
        let mut waiting = |holder: &str| send(progress, BackfillEvent::Waiting { holder: holder.to_owned() });
        if self.options.join
            && let Some(joined) = self.join(&new, &ranges).await?
        {
            return Ok(joined);
        }
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        self.begin(&new, lease, &ranges).await
    }

    /// Leads the run if no process does, or helps with it. Returns none if the lease is held for something else. A
    /// leader holds the lease from before the run opens until after it ends, so a process that comes in between tries
    /// again.
    async fn join(&self, new: &NewRun, ranges: &[NewRange]) -> Result<Option<(RunRecorder, Option<Leadership>)>> {
        let (begun, mut watch) = (Instant::now(), LeaseWatch::new(new.resource()));
        while begun.elapsed() < LEASE_TTL {
            if let Some(lease) = watch.try_acquire(self.database, self.holder).await? {
                return Ok(Some(self.begin(new, lease, ranges).await?));
            }
            if let Some(run) = Run::join(self.database, new).await? {
                return Ok(Some((RunRecorder::Recorded(run), None)));
            }
            tokio::time::sleep(JOIN_AGAIN).await;
        }
        Ok(None)
    }

    async fn begin(
        &self,
        new: &NewRun,
        lease: Lease,
        ranges: &[NewRange],
    ) -> Result<(RunRecorder, Option<Leadership>)> {
        let run = Run::resume_or_open(self.database, new, self.holder, ranges).await?;
        Ok((RunRecorder::Recorded(run), Some(Leadership::new(self, lease))))
    }

    /// The rows that all processes of the run had examined and assigned before this one began.
    async fn rows_before(&self, recorder: &RunRecorder) -> Result<Option<(u64, u64)>> {
        let Some(run) = recorder.run() else { return Ok(None) };
        let before = run.progress(self.database).await?;
        Ok(Some((before.examined, before.assigned())))
    }

    /// Lists this process among those of the run. Returns where it reports what slows it down.
    async fn enter_process(
        &self,
        recorder: &RunRecorder,
    ) -> Result<(Option<ProcessEntry>, watch::Sender<Option<String>>)> {
        let (note, notes) = watch::channel(None);
        let Some(run) = recorder.run() else { return Ok((None, note)) };
        let process = RunProcess::enter(self.database, run.id, self.holder, self.at_once()).await?;
        let heartbeat = process.keep_alive(self.database, notes);
        Ok((Some(ProcessEntry { process, _heartbeat: heartbeat }), note))
    }

    /// Takes this process out of the run. Errors are ignored: the lease expires, and the run is continued later.
    async fn leave(
        &self,
        passes: &Passes<'_>,
        entry: Option<ProcessEntry>,
        outcome: Option<RunOutcome>,
    ) -> Option<RunTotals> {
        let run = passes.batches.recorder.run()?;
        let totals = RunTotals::read(self, run).await.ok();
        if let Some(entry) = entry {
            let _ = entry.process.leave(self.database).await;
        }
        if let Some(lead) = &passes.lead {
            let finished = outcome == Some(RunOutcome::Done);
            // Other processes go on; one of them acquires the lease and leads.
            let others = !finished && outcome.is_some() && totals.as_ref().is_some_and(|totals| totals.processes > 1);
            if !others {
                let _ = run.end(self.database, &lead.lease, self.holder, finished).await;
            }
            let _ = lead.lease.release(self.database).await;
        }
        totals
    }
}

/// The entry of this process among those of the run.
struct ProcessEntry {
    process: RunProcess,
    _heartbeat: Heartbeat,
}

/// The new note about what slows a process down, if the event changes it; the inner none clears the note.
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
