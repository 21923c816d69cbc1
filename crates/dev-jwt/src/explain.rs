//! Why cookies that are joined do not open, from the cookies themselves.

use crate::join::{Part, PartKind};
use crate::place::Place;
use crate::problem::{Problem, Taken};
use crate::shown_name::shown_name;

/// The reasons that the cookies show; none where they look as the library wrote them. `opens` says whether a token opens.
pub(crate) fn explanations(
    place: Place,
    header: &str,
    parts: &[Part],
    name: &str,
    opens: &dyn Fn(&str) -> bool,
) -> Vec<Problem> {
    let filled = || parts.iter().filter(|part| !part.value.is_empty());
    let siblings = filled().filter(|part| part.kind == PartKind::Sibling);
    let mut reasons: Vec<Problem> =
        siblings.map(|part| Problem::SiblingCookie { name: shown_name(&part.name) }).collect();
    let chunks: Vec<(usize, &str)> = filled()
        .filter_map(|part| match part.kind {
            PartKind::Chunk(number) => Some((number, part.value.as_str())),
            _ => None,
        })
        .collect();
    let whole = filled().any(|part| part.kind == PartKind::Whole);
    if whole && !chunks.is_empty() {
        reasons.push(Problem::LeftoverCookie { name: name.to_owned() });
    } else if !whole {
        reasons.extend(of_chunks(place, &chunks, opens));
    }
    reasons.extend(repeated(place, header, name));
    reasons
}

/// What is wrong with numbered cookies: one is missing, or one is of an earlier session.
fn of_chunks(place: Place, chunks: &[(usize, &str)], opens: &dyn Fn(&str) -> bool) -> Option<Problem> {
    if chunks.is_empty() {
        return None;
    }
    let joined = |count: usize| chunks[..count].iter().map(|(_, value)| *value).collect::<String>();
    if let Some(count) = (1..chunks.len()).find(|count| opens(&joined(*count))) {
        return Some(Problem::StaleChunk { chunk: chunks[count].0 });
    }
    let missing = chunks.iter().enumerate().find(|(expected, (number, _))| number != expected);
    if let Some((expected, _)) = missing {
        return Some(Problem::MissingChunk { chunk: expected });
    }
    let full = |(_, value): &(usize, &str)| value.len() == place.library().chunk_size();
    chunks.iter().all(full).then_some(Problem::MissingChunk { chunk: chunks.len() })
}

/// Cookies of the session that the line has twice, with different values.
fn repeated(place: Place, header: &str, name: &str) -> Vec<Problem> {
    let pairs = header.split(';').filter_map(|part| part.trim().split_once('='));
    let pairs: Vec<(&str, &str)> = pairs.filter(|(full, _)| full.starts_with(name)).collect();
    let differs = |at: usize| pairs[..at].iter().any(|(full, value)| *full == pairs[at].0 && *value != pairs[at].1);
    let mut names: Vec<&str> = (0..pairs.len()).filter(|at| differs(*at)).map(|at| pairs[at].0).collect();
    names.dedup();
    let taken = if place.takes_the_last() { Taken::Last } else { Taken::First };
    names.into_iter().map(|name| Problem::RepeatedCookie { name: shown_name(name), taken }).collect()
}
