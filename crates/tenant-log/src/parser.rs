//! From a line to the records in it.

use std::borrow::Cow;

use crate::event::Event;
use crate::json::{self, NoRecord, Record};
use crate::kind::What;
use crate::patterns::{Patterns, SQLSTATE};
use crate::server_log::{self, begins_csv};
use crate::time::{self, Millis};
use crate::unread::{Unread, UnreadReason};

/// How many beginnings of an object are tried in a line.
const MOST_TRIES: usize = 16;
/// How deep the line of an application may be wrapped by platforms.
const DEEPEST: usize = 3;
/// How many lines the statement of one record of `csvlog` may have. Where more follow, its end was lost.
const LONGEST_STATEMENT: u32 = 10_000;

/// Reads the lines of one input, in order.
#[derive(Debug)]
pub(crate) struct Parser<'p> {
    patterns: &'p Patterns,
    pub(crate) unread: Unread,
    /// How many further lines may belong to the statement of a record of `csvlog`.
    in_statement: u32,
}

/// What was found in a text.
#[derive(Debug, Default)]
struct Found {
    events: u64,
    /// Objects with a message.
    records: u64,
    failed: Option<NoRecord>,
}

impl<'p> Parser<'p> {
    pub(crate) fn new(patterns: &'p Patterns) -> Self {
        Self { patterns, unread: Unread::default(), in_statement: 0 }
    }

    /// A new input begins.
    pub(crate) fn begin(&mut self) {
        self.in_statement = 0;
    }

    /// Reads a line, and tells each record that matters.
    pub(crate) fn line(&mut self, line: &[u8], tell: &mut dyn FnMut(Event<'_>)) {
        if self.is_of_a_statement(line) {
            return;
        }
        let Some(may_tell) = self.patterns.may_tell(line) else { return };
        let text = String::from_utf8_lossy(line);
        let mut found = Found::default();
        self.text(&text, None, 0, &mut found, tell);
        if found.events > 0 {
            if matches!(text, Cow::Owned(_)) {
                self.unread.add(UnreadReason::NotUtf8);
            }
            return;
        }
        let reason = match (found.failed, may_tell) {
            // The parts of the server's messages stand in many lines that are no record of them.
            (_, None) => return,
            (Some(NoRecord::Cut), _) => UnreadReason::Cut,
            (Some(NoRecord::NotJson), _) => UnreadReason::NotJson,
            // A record of something else mentions the words.
            (None, _) if found.records > 0 || text.starts_with('\t') => return,
            (None, _) => UnreadReason::NoRecord,
        };
        self.unread.add(reason);
        self.unread.maybe_unresolved += u64::from(self.patterns.may_be_unresolved(line));
    }

    /// Whether a line goes on with the statement of a record of `csvlog`, which may have anything in it.
    fn is_of_a_statement(&mut self, line: &[u8]) -> bool {
        let begins = begins_csv(line);
        if !begins && self.in_statement == 0 {
            return false;
        }
        let odd = memchr::memchr_iter(b'"', line).count() % 2 == 1;
        if begins {
            self.in_statement = if odd { LONGEST_STATEMENT } else { 0 };
            return false;
        }
        self.in_statement = if odd { 0 } else { self.in_statement - 1 };
        true
    }

    fn text(
        &mut self,
        text: &str,
        around: Option<Millis>,
        depth: usize,
        found: &mut Found,
        tell: &mut dyn FnMut(Event<'_>),
    ) {
        // The server indents what follows the first line of a record.
        if text.starts_with('\t') {
            return;
        }
        let before = found.events;
        if begins_csv(text.as_bytes()) {
            if let Some(record) = server_log::csv_record(text) {
                self.server(&record.message, &record.sqlstate, time::read(&record.time).or(around), found, tell);
                return;
            }
        } else {
            self.objects(text, around, depth, found, tell);
        }
        if found.events == before
            && let Some((prefix, message)) = server_log::error_in(text)
        {
            let time = time::find(prefix.as_bytes()).or_else(|| epoch_of(prefix)).or(around);
            self.server(message, "", time, found, tell);
        }
    }

    /// The objects in a line: usually one, behind a prefix.
    fn objects(
        &mut self,
        text: &str,
        around: Option<Millis>,
        depth: usize,
        found: &mut Found,
        tell: &mut dyn FnMut(Event<'_>),
    ) {
        let mut next = object_in(text, 0);
        for _ in 0..MOST_TRIES {
            let Some(at) = next else { return };
            match json::record(&text[at..], &self.patterns.fields) {
                Ok((record, length)) => {
                    let prefix = &text.as_bytes()[..at];
                    self.record(&record, around, prefix, depth, found, tell);
                    next = object_in(text, at + length);
                }
                Err(why) => {
                    found.failed = found.failed.or(Some(why));
                    next = object_in(text, at + 1);
                }
            }
        }
    }

    fn record(
        &mut self,
        record: &Record<'_>,
        around: Option<Millis>,
        prefix: &[u8],
        depth: usize,
        found: &mut Found,
        tell: &mut dyn FnMut(Event<'_>),
    ) {
        let own = |text: &Option<Cow<'_, str>>| text.as_deref().and_then(time::read);
        let time = own(&record.time).or_else(|| own(&record.wrapped_at)).or(around).or_else(|| time::find(prefix));
        found.records += u64::from(record.message.is_some());
        if let (Some(sqlstate), Some(_), Some(message)) = (&record.sqlstate, &record.severity, &record.message) {
            return self.server(message, sqlstate, time, found, tell);
        }
        if let Some(what) = record.message.as_deref().and_then(|message| self.patterns.of_message(message)) {
            found.events += 1;
            return tell(Event {
                what,
                time,
                path: record.path.as_deref(),
                tenant: record.tenant.as_deref().or(record.expected.as_deref()).or(record.slug.as_deref()),
                model: record.model.as_deref(),
                request: record.request.as_deref(),
            });
        }
        let inner = [&record.message, &record.wrapped].into_iter().flatten();
        for inner in inner.filter(|_| depth < DEEPEST) {
            if self.patterns.may_tell(inner.as_bytes()).is_none() {
                continue;
            }
            if let Some(what) = self.patterns.of_message(inner) {
                found.events += 1;
                // The platform's own fields are not the application's.
                return tell(Event { what, time, path: None, tenant: None, model: None, request: None });
            }
            self.text(inner.trim_end(), time, depth + 1, found, tell);
        }
    }

    fn server(
        &mut self,
        message: &str,
        sqlstate: &str,
        time: Option<Millis>,
        found: &mut Found,
        tell: &mut dyn FnMut(Event<'_>),
    ) {
        if let Some((kind, table)) = server_log::tells(message) {
            found.events += 1;
            let (path, tenant, request) = (None, None, None);
            tell(Event { what: What::Trouble(kind), time, path, tenant, model: Some(table), request });
        } else if sqlstate == SQLSTATE {
            self.unread.add(UnreadReason::OtherWords);
        }
    }
}

/// `%n` in `log_line_prefix`: seconds since 1970, as the first word.
fn epoch_of(prefix: &str) -> Option<Millis> {
    let word = prefix.split([' ', '[', ':']).next()?;
    (word.len() >= 10).then(|| time::read(word)).flatten()
}

/// Where the next object of a text begins.
fn object_in(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let opens = |at: &usize| {
        let next = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
        matches!(next, Some(b'"'))
    };
    memchr::memchr_iter(b'{', bytes.get(from..)?).map(|at| from + at).find(opens)
}
