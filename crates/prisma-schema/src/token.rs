//! Divides a schema into tokens. Comments are left out; ends of lines stay, as they end a field.

/// A part of the text with the line that it begins in, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) line: usize,
    /// Where it begins and ends in the text, in bytes.
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A name or a number.
    Word(&'a str),
    /// A string with its quotes; one that does not end goes to the end of its line.
    Text,
    /// Any other character.
    Sign(char),
    /// The end of a line.
    Newline,
}

pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut line, mut at) = (Vec::new(), 1, 0);
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + "*/".len())
        } else if next == '"' {
            string_length(rest)
        } else if is_word(next) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            next.len_utf8()
        };
        let part = &rest[..length];
        let kind = match next {
            _ if part.starts_with("//") || part.starts_with("/*") => None,
            '\n' => Some(Kind::Newline),
            '"' => Some(Kind::Text),
            _ if is_word(next) => Some(Kind::Word(part)),
            _ if next.is_whitespace() => None,
            _ => Some(Kind::Sign(next)),
        };
        tokens.extend(kind.map(|kind| Token { kind, line, begin: at, end: at + length }));
        line += part.matches('\n').count();
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
