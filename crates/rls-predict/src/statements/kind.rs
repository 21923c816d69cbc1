//! What a statement is: one that has a plan, or a command.

use crate::tokens::{Kind as TokenKind, Token, tokens};

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server has plans for it.
    Planned,
    /// COPY between a table and a client.
    Copy {
        /// The table, as it is written.
        table: String,
        /// Which way the rows go.
        direction: Direction,
    },
    /// It switches off that policies filter silently.
    RowSecurityOff,
    /// Any other command; its first word.
    Other(String),
}

/// Which way the rows of a COPY go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into the table.
    In,
    /// Out of the table.
    Out,
}

/// The first words of statements that have a plan.
const PLANNED: [&str; 8] = ["select", "insert", "update", "delete", "merge", "values", "with", "table"];

/// What a statement is, by its words. What cannot be read is left to the server.
pub(crate) fn kind(text: &str) -> Kind {
    let Ok(tokens) = tokens(text) else { return Kind::Planned };
    let opens = |token: &&Token<'_>| token.text == "(" && token.kind == TokenKind::Other;
    let Some(first) = tokens.iter().find(|token| !opens(token)) else { return Kind::Other(String::new()) };
    let word = first.text.to_ascii_lowercase();
    if PLANNED.contains(&word.as_str()) {
        return Kind::Planned;
    }
    let rest = &tokens[1..];
    match word.as_str() {
        "copy" => copy(text, rest),
        "set" => row_security_off(rest),
        _ => None,
    }
    .unwrap_or(Kind::Other(word))
}

fn copy(text: &str, rest: &[Token<'_>]) -> Option<Kind> {
    let is_name = |token: &Token<'_>| matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
    let first = rest.first().filter(|token| is_name(token))?;
    let qualified = rest.get(1).is_some_and(|token| token.text == ".") && rest.get(2).is_some_and(is_name);
    let last = if qualified { 2 } else { 0 };
    let mut depth = 0;
    for token in &rest[last + 1..] {
        depth = crate::tokens::depth_after(depth, token);
        let direction = match () {
            () if depth > 0 => continue,
            () if token.is_word("from") => Direction::In,
            () if token.is_word("to") => Direction::Out,
            () => continue,
        };
        let table = text[first.at..rest[last].at + rest[last].text.len()].to_owned();
        return Some(Kind::Copy { table, direction });
    }
    None
}

fn row_security_off(rest: &[Token<'_>]) -> Option<Kind> {
    let scope = rest.first().filter(|token| token.is_word("session") || token.is_word("local"));
    let rest = &rest[usize::from(scope.is_some())..];
    let off = ["off", "false", "0", "no", "'off'", "'false'", "'0'", "'no'"];
    let is_set = rest.first()?.is_word("row_security");
    (is_set && off.contains(&rest.get(2)?.text.to_ascii_lowercase().as_str())).then_some(Kind::RowSecurityOff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_words() {
        let copy = |table: &str, direction| Kind::Copy { table: table.to_owned(), direction };
        for (text, expected) in [
            ("SELECT 1", Kind::Planned),
            ("((SELECT 1) UNION SELECT 2)", Kind::Planned),
            ("/* x */ with a AS (SELECT 1) DELETE FROM t", Kind::Planned),
            ("COPY t FROM STDIN", copy("t", Direction::In)),
            ("copy \"T\" (a, \"from\") from '/x'", copy("\"T\"", Direction::In)),
            ("COPY public . \"T b\" TO STDOUT", copy("public . \"T b\"", Direction::Out)),
            ("COPY (SELECT 1 FROM t) TO STDOUT", Kind::Other("copy".to_owned())),
            ("SET LOCAL row_security = off", Kind::RowSecurityOff),
            ("SET row_security TO on", Kind::Other("set".to_owned())),
            ("SET search_path = off", Kind::Other("set".to_owned())),
            ("VACUUM t", Kind::Other("vacuum".to_owned())),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
