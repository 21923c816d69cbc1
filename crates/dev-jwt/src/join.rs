//! Joining the cookies of a session as both libraries do: every cookie whose name begins with the session's, sorted by what follows
//! the last dot.

use std::cmp::Ordering;

use crate::place::Place;

/// A cookie that a library joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) kind: PartKind,
}

/// What a cookie is to the session whose name its own begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// It has that name.
    Whole,
    /// A chunk with this number.
    Chunk(usize),
    /// Another cookie, whose name happens to begin so.
    Sibling,
}

/// The parts of a session in the order in which a place joins them.
pub(crate) fn parts(place: Place, header: &str, name: &str) -> Vec<Part> {
    let of_session = |(full, value): (String, String)| {
        let kind = kind(full.strip_prefix(name)?);
        // Auth.js passes empty ones over.
        (place != Place::AuthJs || !value.is_empty()).then_some(Part { name: full, value, kind })
    };
    let mut parts: Vec<Part> = place.cookies(header).into_iter().filter_map(of_session).collect();
    sort(&mut parts);
    parts
}

fn kind(suffix: &str) -> PartKind {
    if suffix.is_empty() {
        return PartKind::Whole;
    }
    let digits = suffix.strip_prefix('.').unwrap_or_default();
    let canonical = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.parse() {
        Ok(number) if canonical => PartKind::Chunk(number),
        _ => PartKind::Sibling,
    }
}

/// `parseInt` of what follows the last dot; not a number where that has none.
fn suffix_number(name: &str) -> f64 {
    let suffix = name.rsplit('.').next().unwrap_or_default();
    let suffix = if suffix.is_empty() { "0" } else { suffix };
    let text = suffix.trim_start_matches([' ', '\t', '\u{a0}', '\n', '\u{b}', '\u{c}', '\r']);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, text) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(rest) => (16, rest),
        None => (10, text),
    };
    let mut digits = text.chars().map_while(|c| c.to_digit(radix)).peekable();
    if digits.peek().is_none() {
        return f64::NAN;
    }
    sign * digits.fold(0.0, |number, digit| number * f64::from(radix) + f64::from(digit))
}

/// The comparison that the libraries give to `sort`; what is no number is equal to everything.
fn compare(a: &Part, b: &Part) -> Ordering {
    let difference = suffix_number(&a.name) - suffix_number(&b.name);
    difference.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}

/// V8's sort of fewer than 64 elements: a run at the beginning, then insertions by halving. It is copied, as the comparison is no
/// order where a sibling has no number, and then the algorithm decides.
fn sort(parts: &mut [Part]) {
    if parts.len() < 2 {
        return;
    }
    let descending = compare(&parts[1], &parts[0]).is_lt();
    let mut run = 2;
    while run < parts.len() && compare(&parts[run], &parts[run - 1]).is_lt() == descending {
        run += 1;
    }
    if descending {
        parts[..run].reverse();
    }
    for start in run..parts.len() {
        let (mut left, mut right) = (0, start);
        while left < right {
            let middle = left + (right - left) / 2;
            if compare(&parts[start], &parts[middle]).is_lt() {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        parts[left..=start].rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(header: &str) -> Vec<String> {
        parts(Place::NextAuthPages, header, "s").into_iter().map(|part| part.name).collect()
    }

    #[test]
    fn chunks_are_joined_in_the_order_of_their_numbers() {
        assert_eq!(names("s.10=k; s.2=c; s.0=a; t=x; s.1=b"), ["s.0", "s.1", "s.2", "s.10"]);
    }

    #[test]
    fn every_cookie_whose_name_begins_with_the_sessions_is_joined() {
        assert_eq!(names("s=a; s-admin=b; s.sig=c; session=d; other=e"), ["s", "s-admin", "s.sig", "session"]);
        let empty = parts(Place::AuthJs, "s.0=a; s.1=", "s");
        assert_eq!(empty.len(), 1, "Auth.js passes empty ones over");
    }

    #[test]
    fn numbers_are_those_of_parse_int() {
        assert_eq!(
            ["s.1", "s.01", "s.1x", "s.-2", "s.0x1f", "s."].map(suffix_number),
            [1.0, 1.0, 1.0, -2.0, 31.0, 0.0]
        );
        assert!(suffix_number("next-auth.session-token").is_nan() && suffix_number("s.sig").is_nan());
    }
}
