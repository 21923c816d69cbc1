//! Reads texts as logs.

use std::io::Cursor;

use chrono::{DateTime, Utc};
use tenancy_config::tenancy::LogSection;
use tenant_log::{Kind, LogOptions, LogReport, read_streams};

pub(crate) const MISMATCH: &str = "Tenant guard blocked tenant mismatch on create";
pub(crate) const UNRESOLVED: &str = "Middleware: tenant could not be resolved for incoming request";
pub(crate) const SERVED: &str = "API request completed";

/// The end of the time that reports are about.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

pub(crate) fn options(since_minutes: Option<u64>) -> LogOptions {
    let since = since_minutes.map(|minutes| std::time::Duration::from_secs(60 * minutes));
    LogOptions { since, until: noon(), top: 10, most_unresolved: None }
}

pub(crate) fn report_with(logs: &[&[u8]], options: &LogOptions) -> LogReport {
    let stream = |(at, log): (usize, &&[u8])| {
        let stream: Box<dyn std::io::Read> = Box::new(Cursor::new(log.to_vec()));
        (format!("{at}.log"), stream)
    };
    let streams = logs.iter().enumerate().map(stream).collect();
    read_streams(streams, &LogSection::default(), options).unwrap()
}

pub(crate) fn report(log: impl AsRef<[u8]>) -> LogReport {
    report_with(&[log.as_ref()], &options(None))
}

/// A record as the application writes it.
pub(crate) fn record(time: &str, message: &str, context: &str) -> String {
    format!(r#"{{"timestamp":"{time}","level":"warn","message":"{message}","context":{{{context}}}}}"#)
}

/// A record of this message, with nothing special about it.
pub(crate) fn plain(message: &str) -> String {
    record(
        "2026-01-31T11:30:00.000Z",
        message,
        r#""requestId":"r1","pathname":"/api/bookings/42","tenantId":"t_a","model":"Booking""#,
    )
}

/// The records of each kind that has any.
pub(crate) fn counted(report: &LogReport) -> Vec<(Kind, u64)> {
    let kinds = Kind::ALL.into_iter().map(|kind| (kind, report.count(kind)));
    kinds.filter(|(_, count)| *count > 0).collect()
}

/// What could not be read, as words.
pub(crate) fn unread(report: &LogReport) -> Vec<(String, u64)> {
    report.unread.iter().map(|unread| (format!("{:?}", unread.reason), unread.lines)).collect()
}
