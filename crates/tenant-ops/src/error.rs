//! What can go wrong in the book-keeping.

use chrono::{DateTime, Local};
use tenant_rls::Exit;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the book-keeping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// Another run works on the same table.
    #[error(
        "{holder} has been working on {resource} since {}; its last sign of life was at {}",
        .since.format("%Y-%m-%d %H:%M:%S"), .heartbeat.format("%H:%M:%S")
    )]
    Held {
        /// What is held, such as `backfill of public.bookings`.
        resource: String,
        /// Who holds it: user, host and process.
        holder: String,
        /// Since when.
        since: DateTime<Local>,
        /// Its last heartbeat.
        heartbeat: DateTime<Local>,
    },
    /// The lease was taken over while this run was out of reach; it can write no more.
    #[error("the lease on {resource} was taken over by another run; this one wrote nothing since")]
    LeaseLost {
        /// What was held.
        resource: String,
    },
    /// The schema `tenant_ops` is missing and this role may not create it.
    #[error("this database has no schema tenant_ops yet, and {role} may not create it")]
    NotInstalled {
        /// The role that tried.
        role: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Held { .. } => {
                Some("wait for it, or stop it; what it did is kept, and the next run goes on from there".into())
            }
            Self::LeaseLost { .. } => Some("look at the other run; start this one again when it has ended".into()),
            Self::NotInstalled { role } => Some(format!(
                "run it once as the database's owner, or let {role} create it: GRANT CREATE ON DATABASE … TO {role};"
            )),
        }
    }

    /// How a process that met this error ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Held { .. } => Exit::Refused,
            Self::LeaseLost { .. } | Self::NotInstalled { .. } => Exit::Failed,
        }
    }
}
