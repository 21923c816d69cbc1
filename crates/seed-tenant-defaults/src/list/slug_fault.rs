//! What keeps a name from being the slug of a new tenant.

use std::fmt;

use serde::Serialize;

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlugFault {
    /// White space at its begin or its end.
    Blanks,
    /// It is longer than a part of a host name may be.
    TooLong,
    /// It has other characters than slugs have.
    Characters,
}

impl fmt::Display for SlugFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blanks => "it begins or ends with white space, which counts",
            Self::TooLong => "it is longer than 63 characters",
            Self::Characters => "a slug has small letters, digits, - and _ between them",
        })
    }
}
