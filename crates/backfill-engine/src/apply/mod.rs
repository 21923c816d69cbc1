//! Writing what people decided in a review: each line by itself, if its row is still what they decided on.

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

use crate::review::{Line, LineContent, RefusedFile, ReviewFile};
use crate::{BackfillEvent, BackfillPlan, CheckedReview, Result, survey};
use names::TenantNames;
pub use report::{ApplyReport, Refusal, RefusalKind};
use writer::{Books, DecisionOutcome, ReadyDecision, Writer};

/// So many lines are one transaction, if none of them is halved.
const LINES: usize = 500;

/// As many bytes of lines are enough for one.
const BYTES: usize = 1 << 20;

/// Decisions that are to be written.
#[derive(Debug, Clone, Copy)]
pub struct Apply<'a> {
    /// Where.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The review that people filled in.
    pub review: &'a CheckedReview,
    /// Where the lines that are refused are written, in the form of the review.
    pub refused: Option<&'a Path>,
    /// Do all but the commit.
    pub dry_run: bool,
    /// Who does it, for a second operator to read.
    pub holder: &'a str,
}

/// What came of a line.
#[derive(Debug)]
enum Fate {
    Undecided,
    Applied,
    AlreadyApplied,
    Refused(RefusalKind, String),
}

impl Apply<'_> {
    /// Applies the decisions, or as many as are done when `stop` turns true. A line that cannot be applied is refused by itself, and
    /// the others go on.
    ///
    /// # Errors
    /// [`crate::Error::NotAReview`] where the file has columns of another one; [`tenant_rls::Error::NoTable`] where it is about a
    /// table that is not there; [`tenant_rls::Error::CannotSee`] where no role can be proven to see every row;
    /// [`tenant_ops::Error::Held`] where a run works on the table. What was committed stays, and is found by the next one.
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
        let kept = writer.release(done.as_ref().is_ok_and(|report| !report.stopped)).await;
        if let Ok(report) = &mut done
            && !kept
        {
            report.run = None;
        }
        done
    }

    /// Checks that the table can be written to, and takes its lease.
    async fn writer(
        &self,
        file: &ReviewFile,
        table: &str,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Writer<'_>> {
        let (database, tenancy) = (self.database, self.tenancy);
        let plan = BackfillPlan::new(&Catalog::load(database, tenancy).await?, tenancy, table)?;
        file.check_columns(&plan)?;
        let role = survey::writer(database, tenancy, &plan).await?;
        let (judge, write) = writer::statements(&plan)?;
        let books = if self.dry_run { Books::Dry } else { self.open_books(&plan, progress).await? };
        progress(BackfillEvent::Started {
            table: plan.table.clone(),
            rows: self.review.decided,
            role: role.to_string(),
            run: books.run(),
            resumed: false,
            helping: false,
        });
        Ok(Writer { database, tenancy, plan, role, books, judge, write })
    }

    async fn open_books(&self, plan: &BackfillPlan, progress: &mut (dyn FnMut(BackfillEvent) + Send)) -> Result<Books> {
        tenant_ops::install(self.database, self.tenancy).await?;
        let mut waiting = |holder: &str| progress(BackfillEvent::Waiting { holder: holder.to_owned() });
        let resource = format!("backfill of {}", plan.table);
        let lease = Lease::acquire(self.database, &resource, self.holder, &mut waiting).await?;
        Ok(Books::Kept { run: DecisionRun::resume_or_open(self.database, &plan.table.to_string()).await?, lease })
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
        report.run = writer.and_then(|writer| writer.books.run());
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
                // The next one finds what was applied, and writes the refused lines whole.
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

    /// What comes of each of these lines, in their order.
    async fn fates(
        &self,
        lines: &[Line],
        writer: Option<&Writer<'_>>,
        names: &mut TenantNames,
        progress: &mut (dyn FnMut(BackfillEvent) + Send),
    ) -> Result<Vec<Fate>> {
        let mut fates: Vec<Option<Fate>> = lines.iter().map(|line| self.at_sight(line, writer)).collect();
        let open = || lines.iter().enumerate().filter_map(|(at, line)| Some((at, line.content.decided()?)));
        let asked: BTreeSet<&str> = open().filter(|(at, _)| fates[*at].is_none()).map(|(_, a)| &*a.tenant).collect();
        names.look_up(self.database, self.tenancy, asked).await?;
        let mut ready = Vec::new();
        for (at, asked) in open() {
            match names.get(&asked.tenant) {
                _ if fates[at].is_some() => {}
                Ok(tenant) => ready.push(ReadyDecision { at, asked, tenant }),
                Err(why) => fates[at] = Some(Fate::Refused(RefusalKind::UnknownTenant, why)),
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

    /// What can be said of a line without the database.
    fn at_sight(&self, line: &Line, writer: Option<&Writer<'_>>) -> Option<Fate> {
        let asked = match &line.content {
            LineContent::Undecided => return Some(Fate::Undecided),
            LineContent::Malformed(why) => return Some(Fate::Refused(RefusalKind::Malformed, why.clone())),
            LineContent::Decided(asked) => asked,
        };
        let table = &writer?.plan.table;
        let named = TableName::parse(&asked.table, &self.tenancy.database.schema).ok();
        if named.as_ref() != Some(table) {
            let why = format!("it is about {}, and this file is about {table}", asked.table);
            return Some(Fate::Refused(RefusalKind::OtherTable, why));
        }
        let twice = self.review.is_decided_twice(&asked.key);
        twice.then(|| Fate::Refused(RefusalKind::Duplicate, "another line of this file decides the same row".into()))
    }
}

/// The next lines for one transaction.
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
    let refused = |kind, why: &str| Fate::Refused(kind, why.to_owned());
    match done {
        DecisionOutcome::Verdict(DecisionResult::Applied) => Fate::Applied,
        DecisionOutcome::Verdict(DecisionResult::Assigned(_)) if earlier.is_some() => Fate::AlreadyApplied,
        DecisionOutcome::Verdict(DecisionResult::Assigned(tenant)) if tenant.is_empty() => {
            refused(RefusalKind::Assigned, "the row has the empty string for a tenant")
        }
        DecisionOutcome::Verdict(DecisionResult::Assigned(tenant)) => {
            refused(RefusalKind::Assigned, &format!("the row has the tenant `{tenant}` by now"))
        }
        DecisionOutcome::Verdict(DecisionResult::Gone) => refused(RefusalKind::Gone, "there is no row with this id"),
        DecisionOutcome::Verdict(DecisionResult::Held) => {
            refused(RefusalKind::Held, "another transaction holds the row; apply the line again")
        }
        DecisionOutcome::Verdict(DecisionResult::Changed) => {
            refused(RefusalKind::Changed, "the row, or one that it points to, has changed since the review was written")
        }
        DecisionOutcome::Verdict(DecisionResult::NoTenant) => {
            refused(RefusalKind::UnknownTenant, "the tenant was just deleted")
        }
        DecisionOutcome::Refused(words) => Fate::Refused(RefusalKind::Table, words),
    }
}

/// Counts a line, and keeps one that was refused.
fn note(report: &mut ApplyReport, file: Option<&mut RefusedFile>, line: Line, fate: Fate) -> Result<()> {
    report.lines += 1;
    match fate {
        Fate::Undecided => report.undecided += 1,
        Fate::Applied => report.applied += 1,
        Fate::AlreadyApplied => report.already_applied += 1,
        Fate::Refused(kind, reason) => {
            let id = line.content.decided().map(|asked| asked.key.clone());
            if let Some(file) = file {
                file.add(&line.cells, &reason)?;
            }
            report.refuse(Refusal { line: line.number, id, kind, reason });
        }
    }
    Ok(())
}

impl Books {
    fn run(&self) -> Option<i64> {
        match self {
            Self::Kept { run, .. } => Some(run.id),
            Self::Dry => None,
        }
    }
}

impl Writer<'_> {
    fn keep_alive(&self) -> Option<Heartbeat> {
        match &self.books {
            Books::Kept { lease, .. } => Some(lease.keep_alive(self.database)),
            Books::Dry => None,
        }
    }

    /// Ends run and lease, and tells whether the run is kept. Failing to is no error of its own: the lease runs out, and the run is
    /// taken up again.
    async fn release(&self, finished: bool) -> bool {
        let Books::Kept { run, lease } = &self.books else { return false };
        let kept = run.end(self.database, finished).await.unwrap_or(true);
        let _ = lease.release(self.database).await;
        kept
    }
}
