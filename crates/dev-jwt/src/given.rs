//! What was given to be read, as the server gets it: a `Cookie:` header, a bearer token, or a token alone.

use crate::jar::{self, Lost};

/// What a request would carry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// The header `Cookie:`, a character for each byte, as Node.js has it; `None` if no cookies were given.
    pub(crate) header: Option<String>,
    /// What follows `Authorization:`.
    pub(crate) authorization: Option<String>,
    /// A token that was given without a cookie.
    pub(crate) token: String,
    /// Cookies of `Set-Cookie:` lines that no browser sends.
    pub(crate) lost: Vec<Lost>,
}

/// Reads a token, or lines of headers. Lines of `Set-Cookie:` pass a browser first; several lines of `Cookie:` are joined, as Node.js
/// joins them. `now` is in seconds since 1970.
pub(crate) fn read(text: &str, now: u64) -> Given {
    let (mut cookies, mut set, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    let mut given = Given::default();
    for line in text.lines().map(str::trim_ascii).filter(|line| !line.is_empty()) {
        if let Some(line) = after(line, "set-cookie:") {
            set.push(line);
        } else if let Some(line) = after(line, "cookie:") {
            cookies.push(line.trim_ascii().to_owned());
        } else if let Some(line) = after(line, "authorization:") {
            given.authorization = Some(line.trim().to_owned());
        } else if jar::has_attributes(line) {
            set.push(line);
        } else if line.contains(['=', ';']) {
            cookies.push(line.to_owned());
        } else {
            rest.push(line);
        }
    }
    if !set.is_empty() {
        let (header, lost) = jar::send(&set, now);
        given.lost = lost;
        cookies.extend((!header.is_empty()).then_some(header));
    }
    let any = !cookies.is_empty() || !set.is_empty();
    given.header = any.then(|| cookies.join("; ").bytes().map(char::from).collect());
    let bare = rest.join("\n");
    given.token = after(&bare, "bearer ").unwrap_or(&bare).trim().to_owned();
    given
}

/// What follows a prefix in any capitals.
pub(crate) fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    match text.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_in_every_form() {
        for (text, header) in [
            ("Cookie: a=b; c=d", "a=b; c=d"),
            ("a=b; c=d", "a=b; c=d"),
            ("cookie: a=b\r\nCookie: c=d\n", "a=b; c=d"),
            ("set-cookie: a=b; Path=/\nSet-Cookie: c=d; HttpOnly", "a=b; c=d"),
            ("a=b; Path=/; SameSite=Lax", "a=b"),
        ] {
            assert_eq!(read(text, 0).header.as_deref(), Some(header), "{text}");
        }
        assert_eq!(read(" Authorization: Bearer t\n", 0).authorization.as_deref(), Some("Bearer t"));
        assert_eq!((read("t\n", 0).token, read("bearer t", 0).token), ("t".to_owned(), "t".to_owned()));
    }
}
