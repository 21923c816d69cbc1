//! Removes URLs from text that a message quotes: if a user puts a URL where a name belongs, it may hold a password. How
//! a URL itself is printed without its password: `url/database_url.rs`.

/// The text without its URLs. A password may hold any character, so each URL is taken to reach to the back quote that
/// ends the quotation.
pub fn without_urls(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
        let start = rest[..at]
            .rfind(|c| !scheme(c))
            .map_or(0, |before| before + rest[before..].chars().next().map_or(1, char::len_utf8));
        let end = rest[at..].find('`').map_or(rest.len(), |quote| at + quote);
        out.push_str(&rest[..start]);
        out.push_str("(a URL)");
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::without_urls;

    #[test]
    fn a_url_is_not_quoted_and_everything_else_is() {
        for (text, shown) in [
            ("`bookings` stands there twice", "`bookings` stands there twice"),
            ("`postgresql://o:hunter 2@h/d` stands there twice", "`(a URL)` stands there twice"),
            ("tables.postgres://o:hunter2@h/d", "(a URL)"),
            ("`é://o:hunter2@h`, `b`", "`é(a URL)`, `b`"),
            ("a `x://h1` and `jdbc:y://h2`", "a `(a URL)` and `jdbc:(a URL)`"),
        ] {
            assert_eq!(without_urls(text), shown);
        }
    }
}
