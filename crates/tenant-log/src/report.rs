//! What the logs tell, as values.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::gate::GateVerdict;
use crate::kind::Kind;
use crate::unread::UnreadReason;

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogReport {
    /// The time that it is about, if not all.
    pub window: Option<WindowReport>,
    /// What was read.
    pub inputs: Vec<InputReport>,
    /// All lines of them.
    pub lines: u64,
    /// Their bytes, decompressed.
    pub bytes: u64,
    /// The requests that were served, at least: the most frequent message of `traffic`.
    pub requests: u64,
    /// The same in the time before.
    pub requests_before: Option<u64>,
    /// The messages of served requests, with how often each was written.
    pub traffic: Vec<TrafficReport>,
    /// Every kind, the most frequent first.
    pub kinds: Vec<KindReport>,
    /// What the counts over time are of.
    pub intervals: Option<IntervalsReport>,
    /// Where it happens, the worst first.
    pub worst: Vec<SpotReport>,
    /// Records of trouble at places that are not listed.
    pub unlisted: u64,
    /// By route, the worst first.
    pub by_route: Vec<NameReport>,
    /// By tenant, the worst first.
    pub by_tenant: Vec<NameReport>,
    /// By model or table, the worst first.
    pub by_model: Vec<NameReport>,
    /// Records of another time than that of the report.
    pub outside: u64,
    /// Records without a time, where the report is about one. They are in no other number.
    pub without_time: u64,
    /// What could not be read as it should.
    pub unread: Vec<UnreadReport>,
    /// Whether the log is quiet enough, if that was asked.
    pub gate: Option<GateVerdict>,
}

impl LogReport {
    /// All records of trouble.
    pub fn trouble(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.count).sum()
    }

    /// Whether no record was found that this report could be about.
    pub fn found_nothing(&self) -> bool {
        self.requests == 0 && self.trouble() == 0
    }

    /// The records of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.kinds.iter().find(|report| report.kind == kind).map_or(0, |report| report.count)
    }
}

/// The time that a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WindowReport {
    /// The beginning of the time before, which it is compared with.
    pub before_since: DateTime<Utc>,
    /// The beginning.
    pub since: DateTime<Utc>,
    /// The end.
    pub until: DateTime<Utc>,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputReport {
    /// The file, or `standard input`.
    pub name: String,
    /// Its lines.
    pub lines: u64,
    /// Its bytes, decompressed.
    pub bytes: u64,
    /// Records that matter, of any time.
    pub records: u64,
    /// The time of the earliest of them.
    pub first: Option<DateTime<Utc>>,
    /// The time of the latest of them.
    pub last: Option<DateTime<Utc>>,
    /// Whether time goes back in it.
    pub clock: Option<ClockReport>,
    /// Why it was not read to its end.
    pub ended_early: Option<String>,
}

/// Time goes back by more than a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockReport {
    /// How often.
    pub times: u64,
    /// By how much at most.
    pub most_seconds: u64,
    /// In which line.
    pub line: u64,
}

/// A message of served requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrafficReport {
    /// How it begins.
    pub message: String,
    /// How often it was written.
    pub count: u64,
}

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindReport {
    /// The kind.
    pub kind: Kind,
    /// Its records.
    pub count: u64,
    /// Its records in the time before.
    pub before: Option<u64>,
    /// Its records for each served request; `None` if there was none.
    pub share: Option<f64>,
    /// Its records in each interval.
    pub over_time: Vec<u64>,
}

/// Intervals of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IntervalsReport {
    /// The beginning of the first.
    pub since: DateTime<Utc>,
    /// The length of each.
    pub seconds: f64,
    /// How many there are.
    pub count: usize,
}

/// A place at which trouble happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpotReport {
    /// The kind.
    pub kind: Kind,
    /// The path of the request, with `:id` for ids.
    pub route: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// The model or table.
    pub model: Option<String>,
    /// The records.
    pub count: u64,
    /// The records in the time before.
    pub before: Option<u64>,
    /// The first.
    pub first: Option<DateTime<Utc>>,
    /// The last.
    pub last: Option<DateTime<Utc>>,
    /// Some requests.
    pub request_ids: Vec<String>,
}

/// What is told of one route, tenant or model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NameReport {
    /// Its name; `None` for all that are too many to be kept apart.
    pub name: Option<String>,
    /// The records of trouble.
    pub count: u64,
    /// The records in the time before.
    pub before: Option<u64>,
    /// The records by kind, without those kinds that have none.
    pub kinds: BTreeMap<Kind, u64>,
    /// The requests that were served.
    pub requests: u64,
    /// The records of trouble for each of them; `None` if there was none.
    pub share: Option<f64>,
}

/// What could not be read as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UnreadReport {
    /// Why.
    pub reason: UnreadReason,
    /// The lines.
    pub lines: u64,
}
