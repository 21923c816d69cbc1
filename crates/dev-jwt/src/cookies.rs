//! Cookies: splitting a token as the libraries do, and putting together what a browser sends.

use serde::Serialize;

use crate::library::Library;

/// A cookie's name and value; what else belongs to it follows from the library and from https.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, which needs no encoding.
    pub value: String,
}

/// The cookies that carry a token: one, or numbered ones from `.0` on where it is too large for a browser.
pub fn chunk(library: Library, name: &str, token: &str) -> Vec<Cookie> {
    if token.len() <= library.chunk_size() {
        return vec![Cookie { name: name.to_owned(), value: token.to_owned() }];
    }
    let chunks = token.as_bytes().chunks(library.chunk_size()).enumerate();
    let cookie = |(number, bytes): (usize, &[u8])| Cookie {
        name: format!("{name}.{number}"),
        value: String::from_utf8_lossy(bytes).into_owned(),
    };
    chunks.map(cookie).collect()
}

/// What was given to be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GivenCookies {
    /// The library and the cookie's name, where cookies were given.
    pub(crate) cookie: Option<(Library, &'static str)>,
    /// The token, as the library would put it together.
    pub(crate) token: String,
    /// What is wrong with the chunks.
    pub(crate) fault: Option<CookieFault>,
}

/// What can be wrong with the chunks of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CookieFault {
    /// The chunk of this number is not there, and later ones are.
    Missing(usize),
    /// Every chunk is full, so there may have been more.
    MayGoOn(usize),
    /// There is a whole cookie beside chunks of the same name, and the library joins them all.
    Leftover,
}

/// Reads a token, the value of a `Cookie:` or `Authorization: Bearer` header, or lines of `Set-Cookie:`. Of several sessions in it,
/// the wanted library's under the wanted scheme counts, then any.
pub(crate) fn read(text: &str, library: Option<Library>, secure: bool) -> GivenCookies {
    let cookies: Vec<(&str, &str)> = text.lines().flat_map(pairs).collect();
    let libraries = library.into_iter().chain(Library::ALL);
    let names = libraries.flat_map(|library| [secure, !secure].map(|secure| (library, library.cookie_name(secure))));
    for (library, name) in names {
        let chunks = chunks_of(&cookies, name);
        if !chunks.is_empty() {
            let token = chunks.iter().map(|(_, value)| *value).collect();
            return GivenCookies { cookie: Some((library, name)), token, fault: fault(&chunks, library) };
        }
    }
    let token = without_prefix(text.trim(), "authorization:").trim();
    GivenCookies { cookie: None, token: without_prefix(token, "bearer ").trim().to_owned(), fault: None }
}

/// The names and values in one line.
fn pairs(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let line = without_prefix(without_prefix(line.trim(), "cookie:"), "set-cookie:");
    line.split(';').filter_map(|pair| pair.trim().split_once('='))
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    match text.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => rest,
        _ => text,
    }
}

/// The cookies of one session in the order in which they are joined, each with its number. Of two with one name the first counts.
fn chunks_of<'a>(cookies: &[(&'a str, &'a str)], name: &str) -> Vec<(Option<usize>, &'a str)> {
    let mut chunks: Vec<(Option<usize>, &str)> = Vec::new();
    for (cookie, value) in cookies {
        let Some(rest) = cookie.strip_prefix(name) else { continue };
        let number = match rest.strip_prefix('.').map(str::parse) {
            Some(Ok(number)) => Some(number),
            None if rest.is_empty() => None,
            _ => continue,
        };
        if !chunks.iter().any(|(known, _)| *known == number) {
            chunks.push((number, value));
        }
    }
    chunks.sort_by_key(|(number, _)| *number);
    chunks
}

fn fault(chunks: &[(Option<usize>, &str)], library: Library) -> Option<CookieFault> {
    if chunks[0].0.is_none() {
        return (chunks.len() > 1).then_some(CookieFault::Leftover);
    }
    let missing = chunks.iter().enumerate().find(|(expected, (number, _))| *number != Some(*expected));
    if let Some((expected, _)) = missing {
        return Some(CookieFault::Missing(expected));
    }
    chunks.iter().all(|(_, value)| value.len() == library.chunk_size()).then_some(CookieFault::MayGoOn(chunks.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "next-auth.session-token";

    fn header(cookies: &[Cookie]) -> String {
        cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_token_is_split_where_the_library_splits_it() {
        for library in Library::ALL {
            let name = library.cookie_name(false);
            let fits = "x".repeat(library.chunk_size());
            assert_eq!(chunk(library, name, &fits), [Cookie { name: name.to_owned(), value: fits.clone() }]);
            let split = chunk(library, name, &format!("{fits}y"));
            assert_eq!(split[0], Cookie { name: format!("{name}.0"), value: fits });
            assert_eq!(split[1], Cookie { name: format!("{name}.1"), value: "y".to_owned() });
        }
    }

    #[test]
    fn eleven_chunks_come_together_in_the_order_of_their_numbers() {
        let token: String = (0..11).map(|n| char::from(b'a' + n).to_string().repeat(3933)).collect();
        let mut cookies = chunk(Library::NextAuth, NAME, &token);
        cookies.reverse();
        assert_eq!(read(&header(&cookies), None, false).token, token);
    }

    #[test]
    fn what_is_wrong_with_chunks_is_noticed() {
        let mut cookies = chunk(Library::NextAuth, NAME, &"x".repeat(9000));
        let last = cookies.pop().unwrap();
        assert_eq!(read(&header(&cookies), None, false).fault, Some(CookieFault::MayGoOn(2)));
        cookies.push(last);
        cookies.remove(1);
        assert_eq!(read(&header(&cookies), None, false).fault, Some(CookieFault::Missing(1)));
        cookies.insert(0, Cookie { name: NAME.to_owned(), value: "old".to_owned() });
        assert_eq!(read(&header(&cookies), None, false).fault, Some(CookieFault::Leftover));
    }

    #[test]
    fn headers_are_read_in_every_form() {
        for text in [
            "Cookie: a=b; next-auth.session-token=t",
            "next-auth.session-token=t",
            "set-cookie: next-auth.session-token=t; Path=/",
        ] {
            let given = read(text, None, false);
            assert_eq!((given.token.as_str(), given.cookie), ("t", Some((Library::NextAuth, NAME))), "{text}");
        }
        assert_eq!(read(" Authorization: Bearer t\n", None, false).token, "t");
        assert_eq!(read("t\n", None, false).token, "t");
    }
}
