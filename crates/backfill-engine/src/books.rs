//! Whose books a batch is kept in: those of a run that stays, or, for a dry run, some that go with their transaction.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sqlx::PgConnection;
use tenancy_config::Tenancy;
use tenant_ops::{NewRange, NewRun, Range, Run};
use tenant_rls::{ActingRole, BatchTx};

use crate::tid::Tid;

/// The books of a backfill.
pub(crate) enum Books {
    /// A run that stays.
    Kept(Run),
    /// A dry run: the run is made in each transaction and taken back with it; the lanes are remembered here.
    Dry { new: NewRun, lanes: Mutex<VecDeque<Range>> },
}

impl Books {
    /// Those of a dry run.
    pub(crate) fn dry(new: NewRun, lanes: &[NewRange]) -> Self {
        let lane = |lane: &NewRange| Range {
            id: 0,
            leaf: lane.leaf.clone(),
            next: Tid::page(lane.first).to_string(),
            until: Tid::page(lane.behind).to_string(),
        };
        Self::Dry { new, lanes: Mutex::new(lanes.iter().map(lane).collect()) }
    }

    /// The run, if it stays.
    pub(crate) fn run(&self) -> Option<&Run> {
        match self {
            Self::Kept(run) => Some(run),
            Self::Dry { .. } => None,
        }
    }

    /// Locks a lane that is free, as the role that writes, and tells its run: see [`Run::claim`].
    pub(crate) async fn claim(
        &self,
        tx: &mut BatchTx,
        tenancy: &Tenancy,
        role: &ActingRole,
        preferred: i64,
    ) -> Result<Option<(Run, Range)>, tenant_ops::Error> {
        match self {
            Self::Kept(run) => {
                tx.assume(role).await?;
                let lane = run.claim(tx.connection().await?, preferred).await?;
                Ok(lane.map(|lane| (run.clone(), lane)))
            }
            Self::Dry { new, lanes } => {
                let next = lanes.lock().unwrap_or_else(PoisonError::into_inner).front().cloned();
                let Some(lane) = next else { return Ok(None) };
                let entered = enter_dry(tx.connection().await?, tenancy, new, lane).await?;
                tx.assume(role).await?;
                Ok(Some(entered))
            }
        }
    }

    /// A batch of a dry run came to `until`; the server remembers that of a run that stays.
    pub(crate) fn moved(&self, until: Tid) {
        let Self::Dry { lanes, .. } = self else { return };
        let mut lanes = lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lane) = lanes.front_mut() else { return };
        lane.next = until.to_string();
        if lane.next == lane.until {
            lanes.pop_front();
        }
    }
}

async fn enter_dry(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    new: &NewRun,
    lane: Range,
) -> Result<(Run, Range), tenant_ops::Error> {
    tenant_ops::install_in(connection, tenancy).await?;
    let run = Run::open_in(connection, new).await?;
    let id = run.range_in(connection, &lane.leaf, &lane.next, &lane.until).await?;
    Ok((run, Range { id, ..lane }))
}
