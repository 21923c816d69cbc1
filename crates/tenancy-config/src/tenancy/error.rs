//! What can be wrong with a `tenancy.toml`, and where.

use std::path::PathBuf;

use crate::closest::closest;
use crate::hint::Hint;
use crate::user_error::{Exit, UserError};

/// Why a `tenancy.toml` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenancyError {
    /// A key that means nothing; most likely it is misspelt.
    #[error("{}:{line}: unknown key `{key}`", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The keys that are known there.
        known: Vec<String>,
    },
    /// Text that is not TOML, or a value of the wrong type.
    #[error("{}:{line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says about it.
        message: String,
    },
    /// A value that is not possible.
    #[error("{}: {key}: {why}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key, with its section.
        key: String,
        /// What is wrong with its value.
        why: String,
    },
}

impl UserError for TenancyError {
    fn hint(&self) -> Option<Hint> {
        let Self::UnknownKey { key, known, .. } = self else { return None };
        if matches!(key.as_str(), "url" | "database_url" | "direct_url" | "password") {
            return Some("the file is meant to be committed: URLs belong into the environment or .env.local".into());
        }
        Some(match closest(key, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?").into(),
            None => format!("the keys here are {}", known.join(", ")).into(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
