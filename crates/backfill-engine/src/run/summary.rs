//! Makes the report from what the book-keeping, the last survey and this process know of the run.

use std::time::Duration;

use tenant_ops::Run;
use tenant_rls::ActingRole;

use crate::error::Result;
use crate::finding::FailedRow;
use crate::options::{BackfillOptions, MOST_PASSES};
use crate::plan::BackfillPlan;
use crate::preflight::Preflight;
use crate::run::cleanup::Cleanup;
use crate::run::context::Backfill;
use crate::run::counts::ProcessCounts;
use crate::run::report::{BackfillReport, RunOutcome, SourceCount};
use crate::survey::FinalSurvey;
use crate::throttle::totals::ThrottleReport;

/// The totals in the book-keeping when this process leaves the run: of all its processes, earlier ones included.
pub(crate) struct RunTotals {
    assigned_by: Vec<i64>,
    failed: Vec<FailedRow>,
    pass: i32,
    /// Processes with a recent heartbeat, including this one.
    pub(crate) processes: u64,
}

impl RunTotals {
    /// Reads the totals.
    pub(crate) async fn read(backfill: &Backfill<'_>, run: &Run) -> Result<Self> {
        let progress = run.progress(backfill.database).await?;
        let failed = backfill.refused(run).await?;
        Ok(Self { assigned_by: progress.assigned_by, failed, pass: progress.pass, processes: progress.processes })
    }
}

/// The inputs of the report.
pub(crate) struct ReportInputs<'a> {
    pub(crate) plan: &'a BackfillPlan,
    pub(crate) role: &'a ActingRole,
    pub(crate) options: &'a BackfillOptions,
    pub(crate) run: Option<&'a Run>,
    pub(crate) elapsed: Duration,
    pub(crate) observations: RunObservations,
}

/// What was found before, during and after the run.
#[derive(Default)]
pub(crate) struct RunObservations {
    pub(crate) preflight: Option<Preflight>,
    pub(crate) throttle: ThrottleReport,
    pub(crate) cleanup: Option<Cleanup>,
}

impl ReportInputs<'_> {
    /// Makes the report.
    pub(crate) fn finish(
        self,
        outcome: RunOutcome,
        counts: ProcessCounts,
        totals: Option<RunTotals>,
        last: FinalSurvey,
    ) -> BackfillReport {
        let totals = totals.unwrap_or(RunTotals {
            assigned_by: counts.assigned_by,
            failed: counts.failed,
            pass: self.run.map_or(i32::from(counts.batches > 0), |run| run.pass),
            processes: 0,
        });
        let by_source = totals.assigned_by;
        let count =
            |at: usize| by_source.get(at).copied().and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default();
        let assigned_by_source: Vec<SourceCount> =
            self.plan.names().enumerate().map(|(at, name)| SourceCount { source: name, rows: count(at) }).collect();
        let survey = last.survey;
        // The survey of a dry run counts the rows again that the batches rolled back.
        let undone = if self.options.dry_run { counts.assigned } else { 0 };
        let seconds = self.elapsed.as_secs_f64();
        let left_out = self.observations.preflight.as_ref().map_or(0, |preflight| preflight.left_out().len() as u64);
        BackfillReport {
            schema: "backfill/2",
            run: self.run.map(|run| run.id),
            table: self.plan.table.clone(),
            about: self.plan.selection.kind(),
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
                && totals.pass >= MOST_PASSES
                && survey.assignable > left_out + totals.failed.len() as u64,
            remaining: survey.remaining().saturating_sub(undone),
            failed: totals.failed,
            ghost_tenants: last.ghosts,
            absent_sources: self.plan.absent.clone(),
            review: self.options.review.clone(),
            passes: totals.pass,
            batches: counts.batches,
            longest_batch_ms: tenancy_config::milliseconds(counts.longest),
            seconds,
            preflight: self.observations.preflight,
            throttle: self.observations.throttle,
            cleanup: self.observations.cleanup,
            coverage: None,
            rows_per_second: if seconds > 0.0 { counts.assigned as f64 / seconds } else { 0.0 },
        }
    }
}
