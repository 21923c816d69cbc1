//! The kinds of tenant trouble.

use std::fmt::{self, Display};

use serde::Serialize;

/// What a record of a log tells, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Another tenant was given than the one that was set.
    Mismatch,
    /// A query named no tenant.
    Unscoped,
    /// A query ran where no tenant was set.
    MissingContext,
    /// No tenant was found for a request.
    Unresolved,
    /// The server refused a row by a policy.
    RefusedByPolicy,
    /// The server refused a statement because the role has no right.
    PermissionDenied,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Mismatch,
        Self::Unscoped,
        Self::MissingContext,
        Self::Unresolved,
        Self::RefusedByPolicy,
        Self::PermissionDenied,
    ];
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "tenant mismatch",
            Self::Unscoped => "no tenant in the query",
            Self::MissingContext => "no tenant set",
            Self::Unresolved => "tenant unresolved",
            Self::RefusedByPolicy => "refused by policy",
            Self::PermissionDenied => "permission denied",
        })
    }
}

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Trouble.
    Trouble(Kind),
    /// A request was served, by the number of the message in `traffic`.
    Served(usize),
}
