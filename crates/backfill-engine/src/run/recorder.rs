//! Where batches are recorded: in the run, or, in a dry run, in one that is rolled back with each transaction.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sqlx::PgConnection;
use tenancy_config::Tenancy;
use tenant_ops::{NewRange, NewRun, Range, Run};
use tenant_rls::{ActingRole, BatchTx};

use crate::run::tid::Tid;

/// Where batches are recorded.
pub(crate) enum RunRecorder {
    /// A recorded run.
    Recorded(Run),
    /// A dry run. The run is made in each transaction and rolled back with it, so the ranges are kept here.
    DryRun { new: NewRun, ranges: Mutex<VecDeque<Range>> },
}

impl RunRecorder {
    /// The recorder of a dry run.
    pub(crate) fn dry(new: NewRun, ranges: &[NewRange]) -> Self {
        let range = |range: &NewRange| Range {
            id: 0,
            leaf: range.leaf.clone(),
            next: Tid::page(range.first).to_string(),
            until: Tid::page(range.behind).to_string(),
        };
        Self::DryRun { new, ranges: Mutex::new(ranges.iter().map(range).collect()) }
    }

    /// The run; none for a dry run.
    pub(crate) fn run(&self) -> Option<&Run> {
        match self {
            Self::Recorded(run) => Some(run),
            Self::DryRun { .. } => None,
        }
    }

    /// Locks a free range as the role that writes, and returns it with its run; see [`Run::claim`].
    pub(crate) async fn claim(
        &self,
        tx: &mut BatchTx,
        tenancy: &Tenancy,
        role: &ActingRole,
        preferred: i64,
    ) -> Result<Option<(Run, Range)>, tenant_ops::Error> {
        match self {
            Self::Recorded(run) => {
                tx.assume(role).await?;
                let range = run.claim(tx.connection().await?, preferred).await?;
                Ok(range.map(|range| (run.clone(), range)))
            }
            Self::DryRun { new, ranges } => {
                let next = ranges.lock().unwrap_or_else(PoisonError::into_inner).front().cloned();
                let Some(range) = next else { return Ok(None) };
                let entered = enter_dry(tx.connection().await?, tenancy, new, range).await?;
                tx.assume(role).await?;
                Ok(Some(entered))
            }
        }
    }

    /// Records that a batch of a dry run came to `until`. The server records this for other runs.
    pub(crate) fn moved(&self, until: Tid) {
        let Self::DryRun { ranges, .. } = self else { return };
        let mut ranges = ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(range) = ranges.front_mut() else { return };
        range.next = until.to_string();
        if range.next == range.until {
            ranges.pop_front();
        }
    }
}

async fn enter_dry(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    new: &NewRun,
    range: Range,
) -> Result<(Run, Range), tenant_ops::Error> {
    tenant_ops::install_in(connection, tenancy).await?;
    let run = Run::open_in(connection, new).await?;
    let id = run.range_in(connection, &range.leaf, &range.next, &range.until).await?;
    Ok((run, Range { id, ..range }))
}
