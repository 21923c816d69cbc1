//! Causes in JSON: a sentence for people, and beside it the value from which it was made.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Told<'a, T> {
    why: String,
    cause: &'a T,
}

/// Writes a cause as its sentence, in `why`, and as its tag and its fields, in `cause`. It is for fields with `#[serde(flatten)]`.
///
/// # Errors
/// Those of the serializer.
pub fn why_and_cause<T: Serialize + fmt::Display, S: Serializer>(cause: &T, serializer: S) -> Result<S::Ok, S::Error> {
    Told { why: cause.to_string(), cause }.serialize(serializer)
}
