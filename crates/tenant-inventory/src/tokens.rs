//! The lexical rules of PostgreSQL, as far as names, strings and comments need them.

/// A part of a text that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword or a name without quotes, in small letters as the server folds it.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A string: what it means.
    Text(String),
    /// A run of the characters that operators consist of.
    Operator(String),
    /// Any other character.
    Other(char),
}

/// It cannot be told where a string or a name in the text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unlexed;

const OPERATOR_CHARACTERS: &str = "+-*/<>=~!@#%^&|`?";

/// The tokens of a text.
///
/// # Errors
/// [`Unlexed`]: a string, name or comment has no end; a name is written with Unicode escapes; or a string has a backslash before a quote, which
/// means one thing or another as `standard_conforming_strings` was set when the function was made.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Unlexed> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("--") {
            rest.find(['\n', '\r']).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)?
        } else {
            let (token, length) = token(rest, first)?;
            tokens.push(token);
            length
        };
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn token(rest: &str, first: char) -> Result<(Token, usize), Unlexed> {
    let prefix = rest.get(..2).map(str::to_ascii_lowercase);
    if rest.len() > 2 && prefix.as_deref() == Some("u&") && rest[2..].starts_with('"') {
        return Err(Unlexed);
    }
    if prefix.as_deref() == Some("e'") {
        let length = 1 + quoted(&rest[1..], '\'', true)?;
        return Ok((Token::Text(unescaped(&rest[2..length - 1])), length));
    }
    match first {
        '\'' => {
            let length = quoted(rest, '\'', false)?;
            if rest[..length].contains("\\'") {
                return Err(Unlexed);
            }
            Ok((Token::Text(rest[1..length - 1].replace("''", "'")), length))
        }
        '"' => {
            let length = quoted(rest, '"', false)?;
            Ok((Token::Quoted(rest[1..length - 1].replace("\"\"", "\"")), length))
        }
        '$' => match dollar_tag(rest) {
            Some(tag) => {
                let end = rest[tag.len()..].find(tag).ok_or(Unlexed)?;
                Ok((Token::Text(rest[tag.len()..tag.len() + end].to_owned()), end + 2 * tag.len()))
            }
            None => Ok((Token::Other(first), 1)),
        },
        _ if begins_name(first) => {
            let end = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
            Ok((Token::Word(rest[..end].to_ascii_lowercase()), end))
        }
        _ if OPERATOR_CHARACTERS.contains(first) => {
            let run = rest.find(|c| !OPERATOR_CHARACTERS.contains(c)).unwrap_or(rest.len());
            let comment = ["--", "/*"].into_iter().filter_map(|begin| rest[..run].find(begin)).min();
            let end = comment.unwrap_or(run);
            Ok((Token::Operator(rest[..end].to_owned()), end))
        }
        _ => Ok((Token::Other(first), first.len_utf8())),
    }
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn continues_name(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit() || c == '$'
}

/// The length of a comment, in which others may be nested.
fn comment(rest: &str) -> Result<usize, Unlexed> {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let here = &rest[at..];
        let step = here.chars().next().ok_or(Unlexed)?.len_utf8();
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Ok(at);
            }
        } else {
            at += step;
        }
    }
}

/// The length up to the quote that is not doubled.
fn quoted(rest: &str, quote: char, escapes: bool) -> Result<usize, Unlexed> {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if escapes && c == '\\' {
            characters.next();
        } else if c == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return Ok(at + 1),
            }
        }
    }
    Err(Unlexed)
}

/// What stands between the quotes of an E string. Of escapes, only those that quote a character are known: others stay as they are written.
fn unescaped(content: &str) -> String {
    let mut text = String::new();
    let mut characters = content.chars().peekable();
    while let Some(c) = characters.next() {
        let quotes = |next: &char| matches!((c, next), ('\\', '\\' | '\'') | ('\'', '\''));
        text.push(characters.next_if(quotes).unwrap_or(c));
    }
    text
}

/// `$$` or `$tag$`; none for a parameter such as `$1`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 2;
    let tag = &rest[1..end - 1];
    let mut characters = tag.chars();
    let is_tag = match characters.next() {
        None => true,
        Some(first) => begins_name(first) && characters.all(|c| begins_name(c) || c.is_ascii_digit()),
    };
    is_tag.then(|| &rest[..end])
}
