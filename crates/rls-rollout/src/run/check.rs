//! A check before the first step.

use std::fmt;

use serde::Serialize;

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, such as `locks`.
    pub name: &'static str,
    /// Its result.
    pub verdict: CheckResult,
    /// In words.
    pub says: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Nothing is in the way.
    Fine,
    /// Something to know or to do, which no check can see.
    Reminder,
    /// It may hold the rollout up, or be held up by it.
    Warning,
    /// This login may not see it.
    Unreadable,
    /// A step would surely fail: the rollout does not begin.
    Failed,
}

impl Check {
    pub(crate) fn new(name: &'static str, verdict: CheckResult, says: impl Into<String>) -> Self {
        Self { name, verdict, says: says.into() }
    }

    /// A warning that names what was found, or that nothing was.
    pub(crate) fn found(name: &'static str, found: &[String], none: &str, what: &str) -> Self {
        if found.is_empty() {
            return Self::new(name, CheckResult::Fine, none);
        }
        Self::new(name, CheckResult::Warning, format!("{what}: {}", found.join("; ")))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.says)
    }
}
