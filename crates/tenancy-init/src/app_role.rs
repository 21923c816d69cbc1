//! As which role the application logs in.

use crate::facts::{Facts, Role};

/// What the grants say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AppRole {
    /// One role may be it.
    Found(String),
    /// Several may, or none.
    Unknown(Vec<String>),
}

/// The logins that policies filter and that may change rows of most of the tables.
pub(crate) fn app_role(facts: &Facts) -> AppRole {
    let filtered = |role: &&Role| role.may_log_in && !role.unfiltered && !role.owns;
    let changes = |role: &&Role| role.changes * 2 > facts.tables.len();
    let mut found: Vec<String> =
        facts.roles.iter().filter(filtered).filter(changes).map(|role| role.name.clone()).collect();
    match found.pop() {
        Some(only) if found.is_empty() => AppRole::Found(only),
        last => AppRole::Unknown(found.into_iter().chain(last).collect()),
    }
}
