//! What is said in a `tenancy.toml` beside its keys: what was found, and what is undecided.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::wrap::comment;

/// Comments for the parts of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Of `columns`.
    pub columns: Vec<String>,
    /// Of `[tenant]`.
    pub tenant: Vec<String>,
    /// The database has no tenant table: the keys of `[tenant]` are written as comments.
    pub no_tenant_table: bool,
    /// Of `[session]`.
    pub session: Vec<String>,
    /// Of `[roles]`.
    pub roles: Vec<String>,
    /// Nobody knows the application's login: the key is written as a comment.
    pub no_app_role: bool,
    /// Of tables that have a section, by their name in the file.
    pub tables: BTreeMap<String, Vec<String>>,
    /// Of tables that have none: a block for each.
    pub other_tables: Vec<Vec<String>>,
}

/// Writes each as a comment on lines of its own.
pub(super) fn comments(out: &mut String, lines: &[String]) -> std::fmt::Result {
    lines.iter().try_for_each(|line| out.write_str(&comment(line)))
}

/// A name may contain a line break, which would end the comment. What is not seen is written out.
pub(super) fn one_line(text: &str) -> String {
    crate::plain::one_line(text).into_owned()
}
