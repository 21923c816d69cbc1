//! The checks that several sections of a `tenancy.toml` need.

use std::collections::BTreeSet;

use crate::name::{Ident, TableName};

/// The key, and what is wrong with it.
pub(super) type Wrong = (String, String);

/// Checks that what is declared has a reason.
pub(super) fn reason(key: &str, given: Option<&str>) -> Result<(), Wrong> {
    if given.is_some_and(|reason| reason.trim().is_empty()) {
        return Err((key.to_owned(), "it is empty; a reason must be given, which reports repeat".to_owned()));
    }
    Ok(())
}

pub(super) fn ident(key: &str, name: &str) -> Result<(), Wrong> {
    Ident::new(name).map(drop).map_err(|error| (key.to_owned(), error.to_string()))
}

pub(super) fn table(key: &str, name: &str, schema: &str) -> Result<TableName, Wrong> {
    TableName::parse(name, schema).map_err(|error| (key.to_owned(), error.to_string()))
}

/// Checks names of variables as POSIX shells can set them.
pub(super) fn environment_variables(key: &str, names: &[String]) -> Result<(), Wrong> {
    for name in names {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err((key.to_owned(), format!("`{name}` cannot be the name of an environment variable")));
        }
    }
    Ok(())
}

pub(super) fn unique<'a>(key: &str, names: impl Iterator<Item = &'a String>) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err((key.to_owned(), format!("`{name}` stands there twice")));
        }
    }
    Ok(())
}

/// Checks the form of a customized option's name since PostgreSQL 14: identifiers with dots between them, at least one
/// dot.
pub(super) fn variable(key: &str, name: &str) -> Result<(), Wrong> {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let goes_on = |c: char| starts(c) || c.is_ascii_digit() || c == '$';
    let part = |part: &str| part.starts_with(starts) && part.chars().all(goes_on);
    if !name.contains('.') {
        let why = format!("`{name}` has no dot: PostgreSQL takes such a name for one of its own settings");
        return Err((key.to_owned(), why));
    }
    if !name.split('.').all(part) {
        return Err((key.to_owned(), format!("`{name}` cannot be the name of a setting")));
    }
    ident(key, name)
}
