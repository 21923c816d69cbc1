//! Applies the decisions of a review. Each line is applied by itself, if its row has not changed since the review.

mod names;
mod report;
mod writer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::Catalog;
use tenant_ops::{DecisionResult, DecisionRun, Heartbeat, Lease};
use tenant_rls::Database;
use tokio::sync::watch;

use crate::error::Result;
use crate::plan::BackfillPlan;
use crate::preflight::side_effects;
use crate::preflight::write::Write;
use crate::progress::BackfillEvent;
use crate::review::apply::names::TenantNames;
use crate::review::apply::writer::{DecisionOutcome, DecisionRecorder, ReadyDecision, Writer};
use crate::review::file::{Line, LineContent, ReviewFile};
use crate::review::refusal::RefusalCause;
use crate::review::refused::RefusedFile;
use crate::review::whole_file::CheckedReview;
use crate::statements::decisions::{decide, decided_changed, judge};
use crate::survey;

pub use report::{ApplyReport, Refusal};

/// The most lines of one transaction.
const LINES: usize = 500;

/// The bytes of lines from which on a transaction takes no more.
const BYTES: usize = 1 << 20;

/// The decisions of one review, and how they are applied.
#[derive(Debug, Clone, Copy)]
pub struct Apply<'a> {
    /// The database.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The review that people filled in.
    pub review: &'a CheckedReview,
    /// The file for refused lines, in the format of the review.
    pub refused: Option<&'a Path>,
    /// Do everything except the commit.
    pub dry_run: bool,
    /// The operator, as others see them in the lease.
    pub holder: &'a str,
}

/// The result of a line.
#[derive(Debug)]
enum Fate {
    Undecided,
    Applied,
    AlreadyApplied,
    Refused(RefusalCause),
}

impl Apply<'_> {
    /// Applies the decisions, or as many as are done when `stop` turns true. A line that cannot be applied is refused,
    /// and the others go on.
    ///
    /// # Errors
    /// [`Error::NotAReview`](crate::Error::NotAReview) if the file has columns of another review;
    /// [`Error::ReviewChanged`](crate::Error::ReviewChanged) if it has changed since the check;
    /// [`Error::ReadReview`](crate::Error::ReadReview) if it cannot be read;
    /// [`Error::Triggers`](crate::Error::Triggers) or [`Error::Rules`](crate::Error::Rules) if something would fire that `tenancy.toml` does not allow;
    /// [`Error::Unsuitable`](crate::Error::Unsuitable) or
    /// [`Error::NoSuchSource`](crate::Error::NoSuchSource) if the table cannot be backfilled;
    /// [`tenant_rls::Error::NoTable`] if there is no such table; [`tenant_rls::Error::CannotSee`] if no role is proven
    /// to see every row; [`tenant_ops::Error::Held`] if a run works on the table; [`Error::Ended`](crate::Error::Ended)
    /// if an operator paused or cancelled the run; [`Error::File`](crate::Error::File) if the file of refused lines
    /// cannot be written. Committed decisions stay, and the next run finds them.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<ApplyReport> {
        let mut file = self.review.open()?;
        let writer = match &self.review.table {
            Some(table) => Some(self.writer(&file, table, progress).await?),
            None => None,
        };
        let Some(writer) = writer else { return self.lines(&mut file, None, &stop, progress).await };
        let alive = writer.keep_alive();
        let mut done = self.lines(&mut file, Some(&writer), &stop, progress).await;
        drop(alive);
        let recorded = writer.release(done.as_ref().is_ok_and(|report| !report.stopped)).await;
        if let Ok(report) = &mut done
            && !recorded
        {
            report.run = None;
        }
        done
    }

    /// Checks that the table can be written to, and acquires its lease.
    async fn writer(
        &self,
        file: &ReviewFile,
        table: &str,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Writer<'_>> {
        let (database, tenancy) = (self.database, self.tenancy);
        let plan = BackfillPlan::for_review(&Catalog::load(database, tenancy).await?, tenancy, table)?;
        file.check_columns(&plan)?;
        let role = survey::writer(database, tenancy, &plan).await?;
        side_effects::check(database, tenancy, (&plan, Write::Update), &role).await?;
        let (judge, write, read_back) = (judge(&plan)?, decide(&plan), decided_changed(&plan));
        let recorder =
            if self.dry_run { DecisionRecorder::DryRun } else { self.open_recorder(&plan, progress).await? };
        progress(BackfillEvent::Started {
            about: plan.selection.kind(),
            table: plan.table.clone(),
            rows: self.review.decided,
            role: role.to_string(),
            run: recorder.run(),
            resumed: false,
            helping: false,
        });
        Ok(Writer { database, tenancy, plan, role, recorder, judge, write, read_back })
    }

    async fn open_recorder(
        &self,
        plan: &BackfillPlan,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<DecisionRecorder> {
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(BackfillEvent::Waiting { holder: holder.to_owned() });
        let resource = tenant_ops::backfill_resource(&plan.table);
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        Ok(DecisionRecorder::Recorded {
            run: DecisionRun::resume_or_open(self.database, &plan.table.to_string()).await?,
            lease,
        })
    }

    /// Goes through the file, batch by batch.
    async fn lines(
        &self,
        file: &mut ReviewFile,
        writer: Option<&Writer<'_>>,
        stop: &watch::Receiver<bool>,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<ApplyReport> {
        let mut report = ApplyReport::new(self.dry_run);
        report.run = writer.and_then(|writer| writer.recorder.run());
        report.table = writer.map(|writer| writer.plan.table.clone());
        report.role = writer.map(|writer| writer.role.to_string());
        let mut refused = self.refused.map(|path| RefusedFile::create(path, file)).transpose()?;
        let mut names = TenantNames::default();
        loop {
            let lines = chunk(file)?;
            if lines.is_empty() {
                break;
            }
            if *stop.borrow() {
                // The next run finds what was applied, and writes all refused lines.
                return Ok(ApplyReport { stopped: true, ..report });
            }
            let fates = self.fates(&lines, writer, &mut names, progress).await?;
            for (line, fate) in lines.into_iter().zip(fates) {
                note(&mut report, refused.as_mut(), line, fate)?;
            }
            let decided = report.applied + report.already_applied + report.refused;
            progress(BackfillEvent::Batch { examined: decided, assigned: report.applied });
        }
        if let Some(refused) = refused {
            refused.finish()?;
            report.refused_file = self.refused.map(PathBuf::from);
        }
        Ok(report)
    }

    /// Applies these lines and returns their results, in the same order.
    async fn fates(
        &self,
        lines: &[Line],
        writer: Option<&Writer<'_>>,
        names: &mut TenantNames,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<Fate>> {
        let mut fates: Vec<Option<Fate>> = lines.iter().map(|line| self.at_sight(line, writer)).collect();
        let open = || lines.iter().enumerate().filter_map(|(at, line)| Some((at, line.content.decided()?)));
        let names_asked: BTreeSet<&str> =
            open().filter(|(at, _)| fates[*at].is_none()).map(|(_, a)| &*a.tenant).collect();
        names.look_up(self.database, self.tenancy, names_asked).await?;
        let mut ready = Vec::new();
        for (at, decision) in open() {
            match names.get(&decision.tenant) {
                _ if fates[at].is_some() => {}
                Ok(tenant) => ready.push(ReadyDecision { at, decision, tenant }),
                Err(message) => fates[at] = Some(Fate::Refused(RefusalCause::UnknownTenant { message })),
            }
        }
        if let Some(writer) = writer {
            let done = writer.write(&ready, progress).await?;
            let mut earlier = writer.decided_earlier(&ready, &done).await?;
            for (at, done) in done {
                fates[at] = Some(fate(done, earlier.remove(&at)));
            }
        }
        Ok(fates.into_iter().map(|fate| fate.expect("each decision was written or refused")).collect())
    }

    /// The result of a line that needs no database.
    fn at_sight(&self, line: &Line, writer: Option<&Writer<'_>>) -> Option<Fate> {
        let decision = match &line.content {
            LineContent::Undecided => return Some(Fate::Undecided),
            LineContent::Malformed(fault) => {
                return Some(Fate::Refused(RefusalCause::Malformed { fault: fault.clone() }));
            }
            LineContent::Decided(decision) => decision,
        };
        let table = &writer?.plan.table;
        let named = TableName::parse(&decision.table, &self.tenancy.database.schema).ok();
        if named.as_ref() != Some(table) {
            let cause = RefusalCause::OtherTable { table: decision.table.clone(), first: table.clone() };
            return Some(Fate::Refused(cause));
        }
        let twice = self.review.is_decided_twice(&decision.key);
        twice.then_some(Fate::Refused(RefusalCause::Duplicate))
    }
}

/// Reads the next lines for one transaction.
fn chunk(file: &mut ReviewFile) -> Result<Vec<Line>> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while lines.len() < LINES
        && bytes < BYTES
        && let Some(line) = file.next()?
    {
        bytes += line.cells.iter().map(String::len).sum::<usize>();
        lines.push(line);
    }
    Ok(lines)
}

fn fate(done: DecisionOutcome, earlier: Option<i64>) -> Fate {
    let cause = match done {
        DecisionOutcome::Verdict(DecisionResult::Applied) => return Fate::Applied,
        DecisionOutcome::Verdict(DecisionResult::Assigned(_)) if earlier.is_some() => return Fate::AlreadyApplied,
        DecisionOutcome::Verdict(DecisionResult::Assigned(tenant)) => RefusalCause::Assigned { tenant },
        DecisionOutcome::Verdict(DecisionResult::Gone) => RefusalCause::Gone,
        DecisionOutcome::Verdict(DecisionResult::Held) => RefusalCause::Held,
        DecisionOutcome::Verdict(DecisionResult::Changed) => RefusalCause::Changed,
        DecisionOutcome::Verdict(DecisionResult::NoTenant) => RefusalCause::TenantDeleted,
        DecisionOutcome::Refused(message) => RefusalCause::Table { message },
    };
    Fate::Refused(cause)
}

/// Counts a line, and records it if it was refused.
fn note(report: &mut ApplyReport, file: Option<&mut RefusedFile>, line: Line, fate: Fate) -> Result<()> {
    report.lines += 1;
    match fate {
        Fate::Undecided => report.undecided += 1,
        Fate::Applied => report.applied += 1,
        Fate::AlreadyApplied => report.already_applied += 1,
        Fate::Refused(cause) => {
            let id = line.content.decided().map(|decision| decision.key.clone());
            if let Some(file) = file {
                file.add(&line.cells, &cause.to_string())?;
            }
            report.refuse(Refusal { line: line.number, id, cause });
        }
    }
    Ok(())
}

impl DecisionRecorder {
    fn run(&self) -> Option<i64> {
        match self {
            Self::Recorded { run, .. } => Some(run.id),
            Self::DryRun => None,
        }
    }
}

impl Writer<'_> {
    fn keep_alive(&self) -> Option<Heartbeat> {
        match &self.recorder {
            DecisionRecorder::Recorded { lease, .. } => Some(lease.keep_alive(self.database)),
            DecisionRecorder::DryRun => None,
        }
    }

    /// Ends the run, releases the lease, and returns whether the run stays in the book-keeping. Errors are ignored: the
    /// lease expires, and the run is continued later.
    async fn release(&self, finished: bool) -> bool {
        let DecisionRecorder::Recorded { run, lease } = &self.recorder else { return false };
        let recorded = run.end(self.database, finished).await.unwrap_or(true);
        let _ = lease.release(self.database).await;
        recorded
    }
}
