//! What keeps every role from seeing the rows, in words and as values.

use serde::{Serialize, Serializer};
use tenant_rls::{Error as RlsError, Obstacle};

#[derive(Serialize)]
struct Told<'a> {
    why: String,
    obstacles: &'a [Obstacle],
}

/// The sentence of the error that they make.
pub(crate) fn sentence(obstacles: &[Obstacle]) -> String {
    RlsError::CannotSee(obstacles.to_vec()).to_string()
}

/// Writes them as their sentence, in `why`, and as values, in `obstacles`. It is for fields with `#[serde(flatten)]`.
pub(crate) fn why_and_obstacles<S: Serializer>(obstacles: &[Obstacle], serializer: S) -> Result<S::Ok, S::Error> {
    Told { why: sentence(obstacles), obstacles }.serialize(serializer)
}
