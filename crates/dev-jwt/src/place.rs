//! The places in an application that read cookies, each with a parser of its own.
//!
//! Sources: `cookie` 0.4.1, which Next.js bundles for pages and API routes; `@edge-runtime/cookies` 6.0 for middleware, route
//! handlers and server components; `@auth/core` 0.41 `lib/vendored/cookie.js`.

use serde::Serialize;

use crate::library::Library;

/// Where an application reads the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// NextAuth 4 in pages and API routes: Next.js parses the cookies with `cookie`.
    NextAuthPages,
    /// NextAuth 4 in middleware, route handlers and server components: `@edge-runtime/cookies`.
    NextAuthMiddleware,
    /// Auth.js 5, which parses the header itself wherever it runs.
    AuthJs,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NextAuthPages, Self::NextAuthMiddleware, Self::AuthJs];

    /// The library that reads there.
    pub fn library(self) -> Library {
        match self {
            Self::NextAuthPages | Self::NextAuthMiddleware => Library::NextAuth,
            Self::AuthJs => Library::AuthJs,
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::NextAuthPages => "NextAuth 4, pages and API routes",
            Self::NextAuthMiddleware => "NextAuth 4, middleware and route handlers",
            Self::AuthJs => "Auth.js 5",
        }
    }

    /// Which of two cookies with one name it takes.
    pub fn takes_the_last(self) -> bool {
        self == Self::NextAuthMiddleware
    }

    /// The cookies of a header, each name once, in the order in which the place has them.
    pub(crate) fn cookies(self, header: &str) -> Vec<(String, String)> {
        let mut cookies: Vec<(String, String)> = Vec::new();
        for (name, value) in header.split(';').enumerate().filter_map(|(at, part)| self.pair(part, at == 0)) {
            match cookies.iter_mut().find(|(known, _)| *known == name) {
                None => cookies.push((name, value)),
                Some((_, old)) if self.takes_the_last() => *old = value,
                Some(_) => {}
            }
        }
        cookies
    }

    /// One pair; `None` where the place passes it over.
    fn pair(self, part: &str, first: bool) -> Option<(String, String)> {
        match self {
            Self::NextAuthPages => {
                let (name, value) = part.split_once('=')?;
                let value = value.trim_matches(is_js_space);
                let value = value.strip_prefix('"').map_or(value, |rest| {
                    let last = rest.chars().next_back().map_or(0, char::len_utf8);
                    &rest[..rest.len() - last]
                });
                let decoded = decode_uri(value).unwrap_or_else(|| value.to_owned());
                Some((name.trim_matches(is_js_space).to_owned(), decoded))
            }
            Self::NextAuthMiddleware => {
                // Only spaces after a semicolon are no part of the name.
                let part = if first { part } else { part.trim_start_matches(' ') };
                if part.is_empty() {
                    return None;
                }
                match part.split_once('=') {
                    None => Some((part.to_owned(), "true".to_owned())),
                    Some((name, value)) => Some((name.to_owned(), decode_uri(value)?)),
                }
            }
            Self::AuthJs => {
                let (name, value) = part.split_once('=')?;
                let value = value.trim_matches([' ', '\t']);
                let decoded = decode_uri(value).unwrap_or_else(|| value.to_owned());
                Some((name.trim_matches([' ', '\t']).to_owned(), decoded))
            }
        }
    }
}

/// What JavaScript's `trim` removes, of the characters that a header can have.
fn is_js_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{a0}')
}

/// `decodeURIComponent` of a text; `None` where that throws.
pub(crate) fn decode_uri(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut bytes = Vec::new();
        while let Some(digits) = rest.strip_prefix('%') {
            let digits = digits.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[3..];
        }
        out.push_str(std::str::from_utf8(&bytes).ok()?);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_counts_once_the_first_or_the_last() {
        let of = |place: Place, header: &str| place.cookies(header).pop().unwrap().1;
        assert_eq!(Place::ALL.map(|place| of(place, "a=1; a=2")), ["1", "2", "1"]);
    }

    #[test]
    fn percent_signs_are_decoded_as_javascript_does() {
        assert_eq!(decode_uri("a%2Eb%C3%A9").as_deref(), Some("a.b\u{e9}"));
        for text in ["%", "%2", "%zz", "%C3", "%ff", "%ED%A0%80"] {
            assert_eq!(decode_uri(text), None, "{text}");
        }
        let of = |place: Place| place.cookies("a=1; a=%").pop().map(|(_, value)| value);
        assert_eq!(Place::ALL.map(of), [Some("1".to_owned()), Some("1".to_owned()), Some("1".to_owned())]);
    }
}
