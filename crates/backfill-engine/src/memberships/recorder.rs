//! Where memberships that are made are recorded.

use tenant_ops::{Heartbeat, Lease, MakingRun};
use tenant_rls::Database;

use crate::error::Result;
use crate::memberships::created::CreatedMemberships;
use crate::progress::ProgressSink;
use crate::retry::retry_lost_connection;

/// A run with its lease, or nothing for a dry run.
pub(crate) enum MembershipRecorder {
    Recorded {
        run: MakingRun,
        lease: Lease,
        /// What it had made when this process took it up.
        before: u64,
    },
    DryRun,
}

impl MembershipRecorder {
    pub(crate) fn run(&self) -> Option<i64> {
        match self {
            Self::Recorded { run, .. } => Some(run.id),
            Self::DryRun => None,
        }
    }

    pub(crate) fn keep_alive(&self, database: &Database) -> Option<Heartbeat> {
        match self {
            Self::Recorded { lease, .. } => Some(lease.keep_alive(database)),
            Self::DryRun => None,
        }
    }

    /// Ends the run, and gives its lease back.
    pub(crate) async fn end(
        &self,
        database: &Database,
        done: Result<CreatedMemberships>,
        progress: &ProgressSink<'_>,
    ) -> Result<CreatedMemberships> {
        let Self::Recorded { run, lease, before } = self else { return done };
        let done = match done {
            Ok(done) => {
                retry_lost_connection(progress, async || {
                    // What the journal says, as a server that crashes forgets transactions that it had confirmed.
                    let made = run.made(database).await?.saturating_sub(*before);
                    let there = run.end(database, !done.stopped).await?;
                    Ok(CreatedMemberships { run: there.then_some(run.id), made, ..done.clone() })
                })
                .await
            }
            Err(error) => {
                // An error is ignored here and below: the lease expires, and the run is continued later.
                let _ = run.end(database, false).await;
                Err(error)
            }
        };
        let _ = lease.release(database).await;
        done
    }
}
