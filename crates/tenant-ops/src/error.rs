//! What can go wrong in the book-keeping.

use chrono::{DateTime, Local};
use tenancy_config::{Exit, Hint, NameError, UserError};

use crate::trust::finding::TrustFinding;
use crate::trust::layout::VERSION;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the book-keeping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused a statement.
    #[error(transparent)]
    Database(#[from] tenant_rls::Error),
    /// Another run works on the same table.
    #[error(
        "{holder} has been working on {resource} since {} and is alive: it gave a heartbeat while this command watched",
        .since.format("%Y-%m-%d %H:%M:%S")
    )]
    Held {
        /// What is held, such as `backfill of public.bookings`.
        resource: String,
        /// Who holds it: user, host and process.
        holder: String,
        /// Since when, by the server's clock.
        since: DateTime<Local>,
    },
    /// The lease was taken over while this run gave no heartbeat; it can write nothing more.
    #[error("the lease on {resource} was taken over by another run; this one wrote nothing since")]
    LeaseLost {
        /// What was held.
        resource: String,
    },
    /// The objects of the schema `tenant_ops`, or the rights on them, are not what this program made.
    #[error("the schema tenant_ops cannot be relied on: {}", listed(.findings))]
    Untrusted {
        /// What is wrong; at least one.
        findings: Vec<TrustFinding>,
    },
    /// A newer version of this program made or upgraded the schema `tenant_ops`.
    #[error(
        "the schema tenant_ops has the layout {version} of a newer version of this program, which knows the layout {VERSION}"
    )]
    Newer {
        /// The layout that it has.
        version: i32,
    },
    /// The schema `tenant_ops` is missing and this role may not create it.
    #[error("this database has no schema tenant_ops yet, and {role} may not create it")]
    NotInstalled {
        /// The role that tried.
        role: String,
    },
}

/// Findings that a message has.
const SHOWN: usize = 5;

fn listed(findings: &[TrustFinding]) -> String {
    let shown: Vec<String> = findings.iter().take(SHOWN).map(ToString::to_string).collect();
    match findings.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

/// All statements that take rights away, as people paste them; where the first finding is no right, what to do about that one.
fn remedy(findings: &[TrustFinding]) -> Option<String> {
    let is_right = |finding: &&TrustFinding| matches!(finding, TrustFinding::Right { .. });
    match findings.first()? {
        TrustFinding::Right { .. } => {
            Some(findings.iter().filter(is_right).map(TrustFinding::hint).collect::<Vec<_>>().join(" "))
        }
        first => Some(first.hint()),
    }
}

impl UserError for Error {
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Held { .. } => {
                Some("wait for it, or stop it; what it did is kept, and the next run goes on from there".into())
            }
            Self::LeaseLost { .. } => Some("look at the other run; start this one again when it has ended".into()),
            Self::Untrusted { findings } => remedy(findings).map(Hint::from),
            Self::Newer { .. } => Some("use that version; an older one would not know what it keeps".into()),
            Self::NotInstalled { role } => Some(
                format!(
                    "run it once as the database's owner, or let {role} create it: GRANT CREATE ON DATABASE … TO {};",
                    tenant_rls::quoted_role(role)
                )
                .into(),
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Held { .. } | Self::Untrusted { .. } | Self::Newer { .. } => Exit::Refused,
            Self::LeaseLost { .. } | Self::NotInstalled { .. } => Exit::Failed,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Database(error.into())
    }
}
