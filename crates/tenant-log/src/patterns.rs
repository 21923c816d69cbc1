//! The messages that matter: which lines may have one, and what a message tells.

use aho_corasick::{AhoCorasick, MatchKind};
use tenancy_config::tenancy::{LogMessages, LogSection};

use crate::error::Error;
use crate::kind::{Kind, What};
use crate::lines::OVERLAP;

/// What the server says of rows that a policy refuses, and of missing rights. 42501 is the SQLSTATE of both.
pub(crate) const BY_POLICY: &str = "row-level security policy";
pub(crate) const NO_RIGHT: &str = "permission denied for ";
pub(crate) const SQLSTATE: &str = "42501";

/// The part of a message that lines are searched for: shorter than what two pieces of a long line have in common.
fn plain(message: &str) -> &str {
    let part = LogMessages::plain_part(message);
    &part[..part.len().min(OVERLAP)] // ASCII
}

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Patterns {
    /// Finds in one pass what every line that matters has.
    parts: AhoCorasick,
    /// What each part belongs to; `None` for those of the server.
    part_tells: Vec<Option<What>>,
    messages: Vec<(String, What)>,
    /// The names of the fields.
    pub(crate) fields: LogSection,
}

impl Patterns {
    /// Those of an application.
    pub(crate) fn new(log: &LogSection) -> Result<Self, Error> {
        let of = |messages: &[String], kind| messages.iter().map(|m| (m.clone(), What::Trouble(kind))).collect();
        let LogMessages { unresolved, missing_context, mismatch, unscoped, traffic } = &log.messages;
        let trouble: [Vec<_>; 4] = [
            of(mismatch, Kind::Mismatch),
            of(unscoped, Kind::Unscoped),
            of(missing_context, Kind::MissingContext),
            of(unresolved, Kind::Unresolved),
        ];
        let served = traffic.iter().take(LogMessages::MOST_TRAFFIC).cloned().enumerate();
        let mut messages: Vec<(String, What)> = trouble.into_iter().flatten().collect();
        messages.extend(served.map(|(at, message)| (message, What::Served(at))));
        // Of two messages of which one begins with the other, the longer one tells more.
        messages.sort_by_key(|(message, _)| std::cmp::Reverse(message.len()));
        let own = messages.iter().map(|(message, what)| (plain(message), Some(*what)));
        let server = [BY_POLICY, NO_RIGHT, SQLSTATE].map(|part| (part, None));
        let (parts, part_tells): (Vec<_>, Vec<_>) = own.chain(server).unzip();
        let parts = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(parts);
        let parts = parts.map_err(|error| Error::Patterns(error.to_string()))?;
        Ok(Self { parts, part_tells, messages, fields: log.clone() })
    }

    /// What a line may tell, by the first part that it has. `Some(None)`: something that the server writes.
    pub(crate) fn may_tell(&self, line: &[u8]) -> Option<Option<What>> {
        let found = self.parts.find(line)?;
        Some(self.part_tells.get(found.pattern().as_usize()).copied().flatten())
    }

    /// Whether a line that cannot be read may tell of an unresolved tenant.
    pub(crate) fn may_be_unresolved(&self, line: &[u8]) -> bool {
        let tells = |found: aho_corasick::Match| self.part_tells.get(found.pattern().as_usize()).copied().flatten();
        self.parts.find_iter(line).any(|found| tells(found) == Some(What::Trouble(Kind::Unresolved)))
    }

    /// What a message tells.
    pub(crate) fn of_message(&self, message: &str) -> Option<What> {
        self.messages.iter().find(|(begins, _)| message.starts_with(begins.as_str())).map(|(_, what)| *what)
    }
}
