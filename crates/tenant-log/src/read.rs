//! Reads inputs one after the other, each once, and makes the report.

use std::io::{self, Read};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tenancy_config::tenancy::LogSection;

use crate::collect::Sums;
use crate::error::Error;
use crate::event::Event;
use crate::finish::{moment, report, verdict};
use crate::gate::{GateVerdict, MostUnresolved};
use crate::input::{Input, check, text_of};
use crate::kind::Kind;
use crate::lines::{Line, Lines};
use crate::parser::Parser;
use crate::patterns::Patterns;
use crate::report::{ClockReport, InputReport, LogReport};
use crate::time::Millis;
use crate::unread::UnreadReason;
use crate::window::Window;

/// Time may go back by so much where lines of several processes are mixed.
const MIXED: Millis = 60_000;

/// What to report.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// The time before `until` that the report is about, and with which the same time before it is compared. `None`: all.
    pub since: Option<Duration>,
    /// The end of that time, usually now.
    pub until: DateTime<Utc>,
    /// How many places, routes, tenants and models are listed.
    pub top: usize,
    /// The share of unresolved tenants that is allowed, if there is one.
    pub most_unresolved: Option<MostUnresolved>,
}

/// An input by its name.
type Stream = (String, Box<dyn Read>);

/// Reads the logs. An input that cannot be read to its end is told in the report, and the others are read.
///
/// # Errors
/// [`Error`]: an input is not there, or is there twice. Nothing was read.
pub fn read(inputs: &[Input], log: &LogSection, options: &LogOptions) -> Result<LogReport, Error> {
    read_streams(open(inputs)?, log, options)
}

/// Whether the logs tell of at most this share of unresolved tenants: the whole question of a gate. With `since`, only the time
/// from then until now counts.
///
/// # Errors
/// [`Error`]: an input is not there, or is there twice. Nothing was read.
pub fn judge(
    inputs: &[Input],
    log: &LogSection,
    since: Option<Duration>,
    most: MostUnresolved,
) -> Result<GateVerdict, Error> {
    let options = LogOptions { since, until: Utc::now(), top: 0, most_unresolved: None };
    let reading = Reading::of(open(inputs)?, log, &options)?;
    Ok(reading.verdict(most))
}

/// The same as [`read`], for streams that are open.
///
/// # Errors
/// [`Error::Patterns`]: the messages cannot be looked for.
pub fn read_streams(streams: Vec<Stream>, log: &LogSection, options: &LogOptions) -> Result<LogReport, Error> {
    let reading = Reading::of(streams, log, options)?;
    let gate = options.most_unresolved.map(|most| reading.verdict(most));
    Ok(LogReport { gate, ..reading.report })
}

fn open(inputs: &[Input]) -> Result<Vec<Stream>, Error> {
    check(inputs)?;
    inputs.iter().map(|input| Ok((input.to_string(), input.open()?))).collect()
}

/// The report, and what only the verdict needs.
struct Reading {
    report: LogReport,
    unresolved_without_time: u64,
    maybe_unresolved: u64,
}

impl Reading {
    fn of(streams: Vec<Stream>, log: &LogSection, options: &LogOptions) -> Result<Self, Error> {
        let patterns = Patterns::new(log)?;
        let mut parser = Parser::new(&patterns);
        let mut sums = Sums::new(Window::new(options.since, options.until));
        let inputs = streams.into_iter().map(|stream| read_one(stream, &patterns, &mut parser, &mut sums)).collect();
        let unresolved_without_time = sums.without_time.kinds[Kind::Unresolved as usize];
        let maybe_unresolved = parser.unread.maybe_unresolved;
        let report = report(sums, inputs, &parser.unread, log, options.top);
        Ok(Self { report, unresolved_without_time, maybe_unresolved })
    }

    fn verdict(&self, most: MostUnresolved) -> GateVerdict {
        verdict(&self.report, self.unresolved_without_time, self.maybe_unresolved, most)
    }
}

fn read_one((name, stream): Stream, patterns: &Patterns, parser: &mut Parser<'_>, sums: &mut Sums) -> InputReport {
    let mut seen = Seen::default();
    parser.begin();
    let read = text_of(stream).and_then(|text| read_lines(text, patterns, parser, sums, &mut seen));
    InputReport {
        name,
        lines: seen.lines,
        bytes: seen.bytes,
        records: seen.records,
        first: seen.first.and_then(moment),
        last: seen.latest.and_then(moment),
        clock: seen.clock,
        ended_early: read.err().map(|error| error.to_string()),
    }
}

fn read_lines(
    text: Box<dyn Read>,
    patterns: &Patterns,
    parser: &mut Parser<'_>,
    sums: &mut Sums,
    seen: &mut Seen,
) -> io::Result<()> {
    let mut lines = Lines::new(text);
    let read = loop {
        let mut maybe_unresolved = false;
        let mut skipped = |piece: &[u8]| maybe_unresolved = maybe_unresolved || patterns.may_be_unresolved(piece);
        match lines.next(&mut skipped) {
            Err(error) => break Err(error),
            Ok(None) => break Ok(()),
            Ok(Some(Line::TooLong)) => {
                seen.lines += 1;
                parser.unread.add(UnreadReason::TooLong);
                parser.unread.maybe_unresolved += u64::from(maybe_unresolved);
            }
            Ok(Some(Line::Whole(line))) => {
                seen.lines += 1;
                let line = if seen.lines == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
                parser.line(line, &mut |event| {
                    seen.event(&event);
                    sums.add(&event);
                });
            }
        }
    };
    seen.bytes = lines.bytes;
    read
}

/// What was seen of one input.
#[derive(Debug, Default)]
struct Seen {
    lines: u64,
    bytes: u64,
    records: u64,
    first: Option<Millis>,
    latest: Option<Millis>,
    previous: Option<Millis>,
    clock: Option<ClockReport>,
}

impl Seen {
    fn event(&mut self, event: &Event<'_>) {
        self.records += 1;
        let Some(time) = event.time else { return };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.latest = Some(self.latest.map_or(time, |latest| latest.max(time)));
        let back = self.previous.map_or(0, |previous| previous - time);
        if back > MIXED {
            let seconds = u64::try_from(back / 1_000).unwrap_or(0);
            let clock = self.clock.get_or_insert(ClockReport { times: 0, most_seconds: 0, line: self.lines });
            clock.times += 1;
            if seconds > clock.most_seconds {
                (clock.most_seconds, clock.line) = (seconds, self.lines);
            }
        }
        self.previous = Some(time);
    }
}
