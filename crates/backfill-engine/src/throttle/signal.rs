//! The signals of the server's load.

use std::fmt;

use serde::Serialize;

/// A signal for which a backfill slows down or waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadSignal {
    /// A standby, or the reader of a slot, is behind.
    ReplicationLag,
    /// A vacuum, an ANALYZE, an index build or DDL works on the table.
    TableWork,
    /// Other sessions wait for a lock that one of our batches holds.
    Waiters,
    /// The server writes more WAL than its limit.
    WalRate,
    /// Other sessions are at work.
    ActiveSessions,
}

impl LoadSignal {
    /// All signals.
    pub const ALL: [Self; 5] =
        [Self::ReplicationLag, Self::TableWork, Self::Waiters, Self::WalRate, Self::ActiveSessions];
}

impl fmt::Display for LoadSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReplicationLag => "replication lag",
            Self::TableWork => "work on the table",
            Self::Waiters => "waiting sessions",
            Self::WalRate => "WAL rate",
            Self::ActiveSessions => "active sessions",
        })
    }
}

/// A signal that this login may not read. Its value is unknown, not good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HiddenSignal {
    /// The signal.
    pub signal: LoadSignal,
    /// Why it is hidden.
    pub why: String,
    /// What would make it readable.
    pub remedy: String,
}

impl fmt::Display for HiddenSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", self.signal, self.why)
    }
}
