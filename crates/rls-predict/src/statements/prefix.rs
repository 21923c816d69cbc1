//! Patterns that are parameters. A plan for any value searches no index for the beginning of a text, as a pattern may begin with `%`; the plan for the
//! value that the application gives may. So a parameter behind LIKE or `~` is planned as a pattern that begins with letters.

use std::collections::BTreeMap;

use crate::tokens::{Kind, Token, tokens};

/// What stands for a parameter behind LIKE and ILIKE.
const LIKE: &str = "'abcdefgh%'";

/// What stands for a parameter behind `~` and `~*`.
const REGEX: &str = "'^abcdefgh'";

/// The statement with such patterns; none where it has no such parameter.
pub(crate) fn with_prefixes(text: &str) -> Option<String> {
    let tokens = tokens(text).ok()?;
    let parameters: Vec<(usize, usize)> =
        tokens.iter().enumerate().filter_map(|(at, token)| Some((at, parameter(token)?))).collect();
    let mut replaced: BTreeMap<usize, Option<&str>> = BTreeMap::new();
    for (at, number) in &parameters {
        let pattern = at.checked_sub(1).and_then(|before| pattern_behind(&tokens[..=before]));
        // A part of a longer expression stays one.
        let ends = tokens.get(at + 1).is_none_or(|next| next.kind != Kind::Operator && !next.is_word("escape"));
        let pattern = pattern.filter(|_| ends);
        let known = replaced.entry(*number).or_insert(pattern);
        // It is a pattern wherever it is used, or it stays a parameter.
        if *known != pattern {
            *known = None;
        }
    }
    replaced.values().find(|pattern| pattern.is_some())?;
    // Parameters are numbered without gaps.
    let kept: Vec<usize> =
        replaced.iter().filter(|(_, pattern)| pattern.is_none()).map(|(number, _)| *number).collect();
    let mut out = String::new();
    let mut end = 0;
    for (at, number) in parameters {
        let token = &tokens[at];
        out.push_str(&text[end..token.at]);
        match (replaced[&number], kept.iter().position(|kept| *kept == number)) {
            (Some(pattern), _) => out.push_str(pattern),
            (None, position) => out.push_str(&format!("${}", position.unwrap_or_default() + 1)),
        }
        end = token.at + token.text.len();
    }
    out.push_str(&text[end..]);
    Some(out)
}

/// The number of a parameter.
fn parameter(token: &Token<'_>) -> Option<usize> {
    token.text.strip_prefix('$').filter(|_| token.kind == Kind::Other)?.parse().ok()
}

/// What a parameter behind these tokens is replaced by.
fn pattern_behind(tokens: &[Token<'_>]) -> Option<&'static str> {
    let last = tokens.last()?;
    if last.is_word("like") || last.is_word("ilike") {
        return Some(LIKE);
    }
    let mut operator = String::new();
    let mut begin = last.at + last.text.len();
    for token in tokens.iter().rev() {
        if token.kind != Kind::Operator || token.at + token.text.len() != begin {
            break;
        }
        begin = token.at;
        operator.insert_str(0, token.text);
    }
    match operator.as_str() {
        "~~" | "~~*" => Some(LIKE),
        "~" | "~*" => Some(REGEX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_pattern_where_it_is_nothing_else() {
        for (text, expected) in [
            ("SELECT a LIKE $1", Some("SELECT a LIKE 'abcdefgh%'")),
            ("SELECT a LIKE $2 AND b = $1 AND c = $3", Some("SELECT a LIKE 'abcdefgh%' AND b = $1 AND c = $2")),
            ("SELECT a NOT ILIKE $1 OR b ~~* $1", Some("SELECT a NOT ILIKE 'abcdefgh%' OR b ~~* 'abcdefgh%'")),
            ("SELECT a ~ $1 /* $2 */ , '$3'", Some("SELECT a ~ '^abcdefgh' /* $2 */ , '$3'")),
            ("SELECT a LIKE $1 OR b = $1", None),
            ("SELECT a LIKE $1 || '%'", None),
            ("SELECT a LIKE $1 ESCAPE '!'", None),
            ("SELECT a <~ $1, b = $2", None),
            ("SELECT 'a LIKE $1'", None),
        ] {
            assert_eq!(with_prefixes(text).as_deref(), expected, "{text}");
        }
    }
}
