//! The statements of the application.

pub(crate) mod kind;
pub(crate) mod prefix;
pub(crate) mod script;
pub(crate) mod server;

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::tokens::tokens;

/// How many bytes of the digest are a fingerprint.
const FINGERPRINT: usize = 6;

/// A statement of the application.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Its text, without what stands before and after it.
    pub text: String,
    /// Where it is from.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Statement {
    /// Twelve hexadecimal digits that tell this statement from others: of its tokens, so that spaces and comments make no difference.
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        match tokens(&self.text) {
            Ok(tokens) => {
                for token in tokens {
                    digest.update(token.text);
                    // No token has it, so that two tokens are not one.
                    digest.update([0]);
                }
            }
            Err(_) => digest.update(&self.text),
        }
        hex::encode(&digest.finalize()[..FINGERPRINT])
    }
}

/// Where a statement is from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// A text.
    Script {
        /// The line in which it begins.
        line: usize,
    },
    /// What the server counted.
    Server {
        /// How often it ran.
        calls: i64,
        /// How long it took on average, in milliseconds.
        mean_ms: f64,
        /// How long all of its runs took, in milliseconds.
        total_ms: f64,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script { line } => write!(f, "line {line}"),
            Self::Server { calls, mean_ms, .. } => write!(f, "{calls} calls, {mean_ms:.1} ms"),
        }
    }
}

/// Where the statements are taken from.
#[derive(Debug, Clone)]
pub enum Source {
    /// These.
    Given(Vec<Statement>),
    /// The server's own statistics.
    Server,
}

#[cfg(test)]
mod tests {
    use super::{Origin, Statement};

    fn fingerprint(text: &str) -> String {
        Statement { text: text.to_owned(), origin: Origin::Script { line: 1 } }.fingerprint()
    }

    #[test]
    fn spaces_and_comments_make_no_other_statement_and_tokens_do() {
        let one = fingerprint("SELECT a FROM t WHERE b = $1");
        assert_eq!(one.len(), 12);
        assert_eq!(fingerprint("SELECT a  -- the first\n  FROM t WHERE b=$1"), one);
        for other in ["SELECT a FROM t WHERE b = $2", "SELECT a FROM t WHERE b = 'c  d'", "SELECTa FROM t WHERE b = $1"]
        {
            assert_ne!(fingerprint(other), one, "{other}");
        }
        assert_ne!(fingerprint("SELECT 'a b'"), fingerprint("SELECT 'a  b'"));
    }
}
