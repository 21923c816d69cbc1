//! The time that a report is about, and the time before it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::time::Millis;

/// Of which records a report speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Window {
    /// Of all.
    All,
    /// Of those from the second of these moments to the third; the time from the first to the second is compared with it.
    Last { before: Millis, since: Millis, until: Millis },
}

/// Where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinePlace {
    Now,
    Before,
    Outside,
    /// It has no time, and the report is about one.
    Unknown,
}

impl Window {
    pub(crate) fn new(since: Option<Duration>, until: DateTime<Utc>) -> Self {
        let Some(since) = since else { return Self::All };
        let length = Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX);
        let until = until.timestamp_millis();
        let since = until.saturating_sub(length);
        Self::Last { before: since.saturating_sub(length), since, until }
    }

    pub(crate) fn place(self, time: Option<Millis>) -> LinePlace {
        match (self, time) {
            (Self::All, _) => LinePlace::Now,
            (Self::Last { .. }, None) => LinePlace::Unknown,
            (Self::Last { before, since, until }, Some(time)) => match time {
                time if (since..until).contains(&time) => LinePlace::Now,
                time if (before..since).contains(&time) => LinePlace::Before,
                _ => LinePlace::Outside,
            },
        }
    }
}
