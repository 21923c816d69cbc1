//! What stops a table where a step of it was refused, and what ends the rollout.

use tenant_rls::sqlstate::ROW_WITHOUT_TENANT;
use tenant_rls::{Fault, fault_of};

use crate::error::{Error, Result};
use crate::plan::step::Step;
use crate::stop::Stop;

/// What stops a table where a step of it was refused. What concerns every table ends the rollout: a lock on the tenant table that could not
/// be had, a lost connection, a lease that another rollout has.
pub(crate) fn refused(step: &Step, error: Error) -> Result<Stop> {
    match error {
        Error::Blocked { step: name, attempts, blockers, .. }
            if blockers.iter().all(|blocker| step.also_locks.as_ref() != Some(&blocker.table)) =>
        {
            Ok(Stop::Locked { step: name, attempts, blockers })
        }
        Error::Database(error) if matches!(error.sqlstate(), Some(ROW_WITHOUT_TENANT | "23503" | "23514")) => {
            Ok(Stop::RowAfterAudit { message: error.to_string() })
        }
        Error::Database(error) if error.sqlstate().is_some() && fault_of(&error) != Fault::Connection => {
            Ok(Stop::StepFailed { step: step.name, message: error.to_string() })
        }
        error => Err(error),
    }
}
