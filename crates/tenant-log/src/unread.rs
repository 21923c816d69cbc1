//! What could not be read, counted by reason.

use std::fmt::{self, Display};

use serde::Serialize;

/// Why something could not be read as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnreadReason {
    /// A line of more than 1 MiB.
    TooLong,
    /// A record that ends in the middle.
    Cut,
    /// A record that is no JSON.
    NotJson,
    /// The words of a message, but no record.
    NoRecord,
    /// The server refused something, in words that are not known.
    OtherWords,
    /// Bytes that are no UTF-8. The record counts, with a replacement for them.
    NotUtf8,
}

impl UnreadReason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::TooLong, Self::Cut, Self::NotJson, Self::NoRecord, Self::OtherWords, Self::NotUtf8];
}

impl Display for UnreadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than 1 MiB, and skipped",
            Self::Cut => "a record that ends in the middle",
            Self::NotJson => "a record that is no JSON",
            Self::NoRecord => "the words of a message outside of a record",
            Self::OtherWords => "SQLSTATE 42501 in words that this command does not know",
            Self::NotUtf8 => "bytes that are no UTF-8; the record counts",
        })
    }
}

/// How many lines there were of each reason.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    counts: [u64; UnreadReason::ALL.len()],
    /// Lines that were not read and have the words of an unresolved tenant.
    pub(crate) maybe_unresolved: u64,
}

impl Unread {
    pub(crate) fn add(&mut self, reason: UnreadReason) {
        self.counts[reason as usize] += 1;
    }

    /// The reasons that occurred.
    pub(crate) fn occurred(&self) -> impl Iterator<Item = (UnreadReason, u64)> {
        UnreadReason::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }
}
