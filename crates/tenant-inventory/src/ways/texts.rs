//! What is known of the text of each function.

use std::collections::BTreeMap;

use super::body::Body;
use super::facts::{Facts, FunctionFacts};
use super::way::Unreadable;

/// Languages whose texts are read.
const READ: [&str; 2] = ["sql", "plpgsql"];

/// What is known of a function's text.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    /// What is in it.
    Read(Body),
    /// It cannot be read.
    Unread(Unreadable),
    /// It is known to reach no table by itself: an aggregate, or what an extension runs as the caller.
    Empty,
}

/// The text of each function, by number.
pub(crate) type Texts = BTreeMap<i64, Text>;

/// Reads the texts.
pub(crate) fn texts(facts: &Facts) -> Texts {
    facts.functions.values().map(|function| (function.id, text(function))).collect()
}

fn text(function: &FunctionFacts) -> Text {
    if let Some(extension) = &function.extension {
        return match function.definer {
            true => Text::Unread(Unreadable::Extension { extension: extension.clone() }),
            false => Text::Empty,
        };
    }
    if function.kind == "a" {
        return Text::Empty;
    }
    if !READ.contains(&function.language.as_str()) {
        return Text::Unread(Unreadable::Language { language: function.language.clone() });
    }
    match Body::read(function.body.as_deref().unwrap_or_default()) {
        Ok(body) => Text::Read(body),
        Err(_) => Text::Unread(Unreadable::Text),
    }
}
