//! The closing report: what the books, the last survey and this process know of a run, put together.

use std::time::Duration;

use tenant_ops::Run;
use tenant_rls::ActingRole;

use crate::passes::MOST_PASSES;
use crate::pressure::ThrottleReport;
use crate::survey::Survey;
use crate::tally::ProcessCounts;
use crate::{
    Backfill, BackfillOptions, BackfillPlan, BackfillReport, Cleanup, FailedRow, Preflight, Result, RunOutcome,
    SourceCount,
};

/// What was found when the run had ended.
pub(crate) struct FinalSurvey {
    pub(crate) survey: Survey,
    pub(crate) ghosts: Vec<crate::GhostTenant>,
}

/// What the books say when this process leaves them: of all processes, earlier ones included.
pub(crate) struct RunTotals {
    assigned_by: Vec<i64>,
    failed: Vec<FailedRow>,
    pass: i32,
    /// Processes that gave a sign of life lately, this one too.
    pub(crate) processes: u64,
}

impl RunTotals {
    /// Reads them.
    pub(crate) async fn read(backfill: &Backfill<'_>, run: &Run) -> Result<Self> {
        let standing = run.standing(backfill.database).await?;
        let failed = backfill.refused(run).await?;
        Ok(Self { assigned_by: standing.assigned_by, failed, pass: standing.pass, processes: standing.processes })
    }
}

/// What the report is made from.
pub(crate) struct ReportInputs<'a> {
    pub(crate) plan: &'a BackfillPlan,
    pub(crate) role: &'a ActingRole,
    pub(crate) options: &'a BackfillOptions,
    pub(crate) run: Option<&'a Run>,
    pub(crate) elapsed: Duration,
    pub(crate) found: Found,
}

/// What was found around the run.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) preflight: Option<Preflight>,
    pub(crate) pressure: ThrottleReport,
    pub(crate) aftermath: Option<Cleanup>,
}

impl ReportInputs<'_> {
    /// The report.
    pub(crate) fn finish(
        self,
        outcome: RunOutcome,
        tally: ProcessCounts,
        kept: Option<RunTotals>,
        end: FinalSurvey,
    ) -> BackfillReport {
        let kept = kept.unwrap_or(RunTotals {
            assigned_by: tally.assigned_by,
            failed: tally.failed,
            pass: self.run.map_or(i32::from(tally.batches > 0), |run| run.pass),
            processes: 0,
        });
        let by_source = kept.assigned_by;
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
        let left_out = self.found.preflight.as_ref().map_or(0, |found| found.left_out().len() as u64);
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
            assignable: survey.assignable.saturating_sub(undone).saturating_sub(left_out),
            unique_breaks: left_out,
            rows_keep_coming: outcome == RunOutcome::Done
                && kept.pass >= MOST_PASSES
                && survey.assignable > left_out + kept.failed.len() as u64,
            remaining: survey.remaining().saturating_sub(undone),
            failed: kept.failed,
            ghost_tenants: end.ghosts,
            review: self.options.review.clone(),
            passes: kept.pass,
            batches: tally.batches,
            longest_batch_ms: u64::try_from(tally.longest.as_millis()).unwrap_or(u64::MAX),
            seconds,
            preflight: self.found.preflight,
            pressure: self.found.pressure,
            aftermath: self.found.aftermath,
            rows_per_second: if seconds > 0.0 { tally.assigned as f64 / seconds } else { 0.0 },
        }
    }
}
