//! What the text of a policy says: which settings it reads, and by what it decides. The text is the server's: `pg_get_expr` prints an expression in
//! one way only, so that a form is recognised by its tokens.

mod setting;

use std::fmt;

use serde::Serialize;

use self::setting::{Place, begins_with, behind_casts, is, places};
use crate::tokens::{Token, tokens};

pub use self::setting::SettingRead;

/// The settings that a condition reads, in its order; `None` where it cannot be told where a string or a name in it ends.
pub fn settings_read(condition: &str) -> Option<Vec<SettingRead>> {
    let tokens = tokens(condition).ok()?;
    Some(places(&tokens).into_iter().map(|place| place.read).collect())
}

/// By what a policy decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum PolicyReading {
    /// A column is compared with a setting, or with a claim in it: what our policies do.
    Setting {
        /// The column.
        column: String,
        /// The setting.
        read: SettingRead,
    },
    /// Settings, and something else.
    SettingAndMore {
        /// The settings, in the order of the text. There is one at least.
        reads: Vec<SettingRead>,
    },
    /// The user of the session: `auth.uid()`.
    AuthUser,
    /// A list: `= ANY (…)`.
    AnyOf {
        /// The function that gives the list.
        function: Option<String>,
    },
    /// A function decides.
    Function {
        /// Its name, with its schema where that is printed.
        function: String,
    },
    /// Rows of other tables decide.
    Subquery,
    /// Every row.
    Everything,
    /// None of these.
    Other,
}

impl fmt::Display for PolicyReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { column, read } => write!(f, "it compares {column} with {read}"),
            Self::SettingAndMore { reads } => {
                let reads: Vec<String> = reads.iter().map(ToString::to_string).collect();
                write!(f, "it reads {}, and more than that", reads.join(", "))
            }
            Self::AuthUser => f.write_str("it asks auth.uid() for the user"),
            Self::AnyOf { function: Some(function) } => {
                write!(f, "it compares with a list (= ANY) that the function {function} gives")
            }
            Self::AnyOf { function: None } => f.write_str("it compares with a list (= ANY)"),
            Self::Function { function } => write!(f, "the function {function} decides"),
            Self::Subquery => f.write_str("rows of other tables decide"),
            Self::Everything => f.write_str("it lets every row through"),
            Self::Other => f.write_str("its form is not one that is recognised"),
        }
    }
}

impl fmt::Display for SettingRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.through, self.setting.claim.is_empty()) {
            (Some(function), true) => write!(f, "the claims that {function}() reads"),
            (Some(function), false) => write!(f, "{}, which {function}() reads", self.setting),
            (None, true) => write!(f, "the setting {}", self.setting),
            (None, false) => self.setting.fmt(f),
        }
    }
}

impl PolicyReading {
    /// Reads an expression that `pg_get_expr` printed.
    pub fn of(expression: &str) -> Self {
        let Ok(tokens) = tokens(expression) else { return Self::Other };
        let places = places(&tokens);
        if let [place] = &places[..]
            && let Some(column) = compared(&tokens, place)
        {
            return Self::Setting { column, read: place.read.clone() };
        }
        if (0..tokens.len()).any(|at| begins_with(&tokens[at..], &["auth", ".", "uid"])) {
            return Self::AuthUser;
        }
        if !places.is_empty() {
            return Self::SettingAndMore { reads: places.into_iter().map(|place| place.read).collect() };
        }
        let at = |words: &[&str]| tokens.iter().position(|token| words.iter().any(|word| is(Some(token), word)));
        if let Some(any) = at(&["any"]) {
            return Self::AnyOf { function: function(&tokens[any + 1..]) };
        }
        if at(&["select", "exists"]).is_some() {
            return Self::Subquery;
        }
        match (function(&tokens), &tokens[..]) {
            (Some(function), _) => Self::Function { function },
            (None, [Token::Word(word)]) if word == "true" => Self::Everything,
            _ => Self::Other,
        }
    }

    /// The column that is compared with a setting, and the setting.
    pub fn comparison(&self) -> Option<(&str, &SettingRead)> {
        match self {
            Self::Setting { column, read } => Some((column, read)),
            _ => None,
        }
    }
}

/// The column, where the whole text compares one with the value; either way round.
fn compared(tokens: &[Token], place: &Place) -> Option<String> {
    let bare = |side: &[Token]| {
        let mut bare = Vec::new();
        let mut at = 0;
        while at < side.len() {
            let behind = behind_casts(side, at);
            if behind == at {
                bare.extend(Some(side[at].clone()).filter(|token| !is(Some(token), "(") && !is(Some(token), ")")));
            }
            at = behind.max(at + 1);
        }
        bare
    };
    let (left, right) = (bare(&tokens[..place.begin]), bare(&tokens[place.end..]));
    let column = match (&left[..], &right[..]) {
        ([column, equals], []) | ([], [equals, column]) if is(Some(equals), "=") => column,
        _ => return None,
    };
    match column {
        Token::Word(column) | Token::Quoted(column) if place.is_text => Some(column.clone()),
        _ => None,
    }
}

/// The first name before a parenthesis that is no keyword.
fn function(tokens: &[Token]) -> Option<String> {
    const KEYWORDS: [&str; 13] = [
        "and",
        "or",
        "not",
        "in",
        "any",
        "all",
        "array",
        "select",
        "exists",
        "case",
        "coalesce",
        "nullif",
        "current_setting",
    ];
    let name = |at: usize| match tokens.get(at) {
        Some(Token::Word(name)) if !KEYWORDS.contains(&name.as_str()) => Some(name.clone()),
        Some(Token::Quoted(name)) => Some(name.clone()),
        _ => None,
    };
    let at = (0..tokens.len()).find(|at| name(*at).is_some() && is(tokens.get(at + 1), "("))?;
    let function = name(at)?;
    match at.checked_sub(2).and_then(name) {
        Some(schema) if is(tokens.get(at - 1), ".") => Some(format!("{schema}.{function}")),
        _ => Some(function),
    }
}

#[cfg(test)]
mod tests;
