//! The statements of the application.

pub(crate) mod kind;
pub(crate) mod prefix;
pub(crate) mod script;
pub(crate) mod server;

use std::fmt;

use serde::Serialize;

/// A statement of the application.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Its text, without what stands before and after it.
    pub text: String,
    /// Where it is from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Where a statement is from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// A text.
    Script {
        /// The line in which it begins.
        line: usize,
    },
    /// What the server counted.
    Server {
        /// How often it ran.
        calls: i64,
        /// How long it took on average, in milliseconds.
        mean_ms: f64,
        /// How long all of its runs took, in milliseconds.
        total_ms: f64,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script { line } => write!(f, "line {line}"),
            Self::Server { calls, mean_ms, .. } => write!(f, "{calls} calls, {mean_ms:.1} ms"),
        }
    }
}

/// Where the statements are taken from.
#[derive(Debug, Clone)]
pub enum Source {
    /// These.
    Given(Vec<Statement>),
    /// The server's own statistics.
    Server,
}
