//! Paths of requests, without what differs from request to request.

use std::fmt::Write as _;

/// How long a name may be that is kept.
const LONGEST: usize = 120;
/// How many parts of a path tell pages apart.
const MOST_PARTS: usize = 10;

/// Writes the route of a path: without its query, and with `:id` for each part that looks like an id.
pub(crate) fn normalised(path: &str, out: &mut String) {
    out.clear();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // `https://host/path`: the host is not a part of the route.
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => path,
    };
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    for part in parts.by_ref().take(MOST_PARTS) {
        let _ = write!(out, "/{}", if is_id(part) { ":id" } else { part });
    }
    if out.is_empty() {
        out.push('/');
    } else if parts.next().is_some() {
        out.push_str("/…");
    }
    shorten(out);
}

/// Cuts a name that is too long to be kept.
pub(crate) fn shorten(name: &mut String) {
    if name.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        name.truncate(end);
        name.push('…');
    }
}

/// A name that is not too long to be kept.
pub(crate) fn short(name: &str) -> String {
    let end = (0..=LONGEST.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let cut = if end < name.len() { "…" } else { "" };
    format!("{}{cut}", &name[..end])
}

/// A number, a UUID, a cuid or another key that no person chose, an address, or something encoded.
fn is_id(part: &str) -> bool {
    let (mut digits, mut letters, mut upper, mut hex, mut other) = (0, 0, 0, 0, 0);
    for byte in part.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' => letters += 1,
            b'A'..=b'Z' => (letters, upper) = (letters + 1, upper + 1),
            b'-' => {}
            b'@' | b'%' => return true,
            _ => other += 1,
        }
        hex += usize::from(byte.is_ascii_hexdigit() || byte == b'-');
    }
    let only_hex = hex == part.len();
    (digits > 0 && letters == 0 && other == 0)
        || (only_hex && part.len() >= 8 && digits > 0)
        || (part.len() >= 20 && digits >= 2 && !part.contains('-'))
        || (part.len() >= 10 && digits > 0 && upper > 0 && upper < letters)
        || part.len() > 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_one_and_words_stay() {
        let cases = [
            ("/api/bookings/cm5abcdefghij1234567890kl?x=1", "/api/bookings/:id"),
            ("/api/bookings/42/items/7", "/api/bookings/:id/items/:id"),
            ("/admin/6f9619ff-8b86-d011-b42d-00c04fc964ff/", "/admin/:id"),
            ("https://acme.example.com/portal#x", "/portal"),
            ("/users/a@b.example", "/users/:id"),
            ("/t/V1StGXR8_Z5jdHi6B-myT", "/t/:id"),
            ("/api/v1/service-requests/2026-01-31", "/api/v1/service-requests/:id"),
            ("/deploy-preview-12/login", "/deploy-preview-12/login"),
            ("/a/b/c/d/e/f/g/h/i/j/k", "/a/b/c/d/e/f/g/h/i/j/…"),
            ("", "/"),
            ("//", "/"),
        ];
        let mut out = String::new();
        for (path, route) in cases {
            normalised(path, &mut out);
            assert_eq!(out, route, "{path}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(short(&"ü".repeat(100)), format!("{}…", "ü".repeat(60)));
        assert_eq!(short("short"), "short");
    }
}
