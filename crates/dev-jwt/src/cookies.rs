//! Cookies: splitting a token as the libraries do.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
