//! The tokens of a text in SQL, with what each is written as.

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// A token that means something: neither space nor comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    /// As it is written.
    pub(crate) text: &'a str,
    /// Where it begins, in bytes.
    pub(crate) at: usize,
}

/// What a token is, as far as statements and conditions need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, or a name without quotes.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A string or a number.
    Literal,
    /// One of the characters of which operators consist.
    Operator,
    /// `;`
    Semicolon,
    /// Anything else, such as a parenthesis.
    Other,
}

/// A string, a name or a comment that has no end, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unterminated {
    pub(crate) at: usize,
}

/// The tokens of a text.
///
/// # Errors
/// [`Unterminated`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Unterminated> {
    let mut found = Vec::new();
    let mut at = 0;
    for token in tokenize(text) {
        let length = token.len as usize;
        if token.kind == TokenKind::Eof {
            break;
        }
        if is_unterminated(token.kind) {
            return Err(Unterminated { at });
        }
        if let Some(kind) = kind(token.kind) {
            found.push(Token { kind, text: &text[at..at + length], at });
        }
        at += length;
    }
    Ok(found)
}

fn is_unterminated(kind: TokenKind) -> bool {
    let of_literal = |kind| {
        matches!(
            kind,
            LiteralKind::Str { terminated: false }
                | LiteralKind::NationalStr { terminated: false }
                | LiteralKind::ByteStr { terminated: false }
                | LiteralKind::BitStr { terminated: false }
                | LiteralKind::DollarQuotedString { terminated: false }
                | LiteralKind::UnicodeEscStr { terminated: false }
                | LiteralKind::EscStr { terminated: false }
        )
    };
    match kind {
        TokenKind::BlockComment { terminated } | TokenKind::QuotedIdent { terminated, .. } => !terminated,
        TokenKind::Literal { kind } => of_literal(kind),
        _ => false,
    }
}

/// What a token means; none for space and comments.
fn kind(kind: TokenKind) -> Option<Kind> {
    Some(match kind {
        TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => return None,
        TokenKind::Ident => Kind::Word,
        TokenKind::QuotedIdent { .. } => Kind::Quoted,
        TokenKind::Literal { .. } => Kind::Literal,
        TokenKind::Semi => Kind::Semicolon,
        TokenKind::Slash
        | TokenKind::Minus
        | TokenKind::Eq
        | TokenKind::Gt
        | TokenKind::And
        | TokenKind::Lt
        | TokenKind::Bang
        | TokenKind::Plus
        | TokenKind::Tilde
        | TokenKind::Pound
        | TokenKind::Question
        | TokenKind::Or
        | TokenKind::Percent
        | TokenKind::Caret
        | TokenKind::Star
        | TokenKind::Backtick
        | TokenKind::At => Kind::Operator,
        _ => Kind::Other,
    })
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// How many parentheses are open after a token, if `depth` were open before.
pub(crate) fn depth_after(depth: usize, token: &Token<'_>) -> usize {
    match token.text {
        "(" | "[" if token.kind == Kind::Other => depth + 1,
        ")" | "]" if token.kind == Kind::Other => depth.saturating_sub(1),
        _ => depth,
    }
}
