//! A backfill and its inputs, with what its passes and its report need of it.

use tenancy_config::Tenancy;
use tenant_ops::{NewRun, Run};
use tenant_rls::{AuditTx, CATALOG_LOCK_TIMEOUT, Database, OwnerTx};

use crate::error::Result;
use crate::finding::FailedRow;
use crate::options::BackfillOptions;
use crate::plan::BackfillPlan;
use crate::review;
use crate::statements::Statements;
use crate::survey::{self, FinalSurvey, Survey};

/// A backfill that is ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Backfill<'a> {
    /// The database.
    pub database: &'a Database,
    /// The roles and the session variable.
    pub tenancy: &'a Tenancy,
    /// The table and its sources.
    pub plan: &'a BackfillPlan,
    /// The name of the job in `tenant_ops.run`.
    pub job: &'a str,
    /// The operator, as others see them in the lease.
    pub holder: &'a str,
    /// The options.
    pub options: &'a BackfillOptions,
}

impl Backfill<'_> {
    /// What identifies this run.
    pub(crate) fn new_run(&self) -> NewRun {
        NewRun {
            job: self.job.to_owned(),
            table: self.plan.table.to_string(),
            on_conflict: self.options.on_conflict.as_str(),
            sources: self.plan.names().collect(),
        }
    }

    /// The number of batches that run at once, which is at most the number of connections.
    pub(crate) fn at_once(&self) -> u32 {
        self.options.at_once().min(self.database.max_connections())
    }

    /// Reads the rows that the table refused in this pass.
    pub(crate) async fn refused(&self, run: &Run) -> Result<Vec<FailedRow>> {
        let mut tx = OwnerTx::begin(self.database, CATALOG_LOCK_TIMEOUT).await?;
        let refused = run.refused(tx.connection()).await?;
        tx.rollback().await?;
        Ok(refused.into_iter().map(|(key, error)| FailedRow { key, error }).collect())
    }

    /// Finds the tenants that do not exist and writes the review, in the snapshot of the last survey.
    pub(crate) async fn end(&self, mut audit: AuditTx, survey: Survey, statements: &Statements) -> Result<FinalSurvey> {
        let ghosts = survey::ghosts(&mut audit, self.plan, statements).await?;
        if let Some(path) = &self.options.review {
            review::write(&mut audit, self.plan, statements, path).await?;
        }
        audit.close().await?;
        Ok(FinalSurvey { survey, ghosts })
    }
}
