//! Why a statement on a table failed, for reports in which that is a finding of this table alone.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, fault_of};
use crate::server_error::Fault;

/// Why it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StatementFailure {
    /// Another session was in the way.
    Locked {
        /// What the server said.
        error: String,
    },
    /// The connection was lost.
    Lost {
        /// What the server or the network said.
        error: String,
    },
    /// The server refused the statement, such as for a policy that ends in an error.
    Refused {
        /// The SQLSTATE, if it is from a server.
        sqlstate: Option<String>,
        /// What the server said.
        error: String,
    },
}

impl From<&Error> for StatementFailure {
    fn from(failed: &Error) -> Self {
        let error = failed.to_string();
        match fault_of(failed) {
            Fault::Contention => Self::Locked { error },
            Fault::Connection => Self::Lost { error },
            Fault::Data | Fault::Other => Self::Refused { sqlstate: failed.sqlstate().map(str::to_owned), error },
        }
    }
}

impl fmt::Display for StatementFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { error } => write!(f, "another session was in the way: {error}"),
            Self::Lost { error } => write!(f, "the connection was lost: {error}"),
            Self::Refused { error, .. } => f.write_str(error),
        }
    }
}
