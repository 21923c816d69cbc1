//! Secrets that must not be printed: passwords of URLs, tokens, and values whose name says that they are secret. Each argument that
//! holds one is searched for as a whole, whatever characters it has.

use std::ffi::OsString;

use tenancy_config::plain::one_line;

/// What stands in the place of a secret.
const HIDDEN: &str = "****";

/// What our own hints write in the place of a login.
const PLACEHOLDER: &str = "USER:PASSWORD";

/// Names whose values are secrets.
const NAMES: [&str; 8] = ["password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "access_key"];

/// Removes the secrets of a command line from messages.
#[derive(Debug, Default, Clone)]
pub(crate) struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// The secrets of these arguments.
    pub(crate) fn of(arguments: &[OsString]) -> Self {
        let mut known = Vec::new();
        for argument in arguments {
            let argument = argument.to_string_lossy();
            // Also the value of `--name=value` and each value of `a,b`, and all of them as Debug writes them.
            let value = argument.split_once('=').map_or("", |(_, value)| value);
            for text in [&*argument, value].into_iter().chain(argument.split(',')).chain(value.split(',')) {
                let debug = format!("{text:?}");
                let debug = debug[1..debug.len() - 1].to_owned();
                let shown = one_line(&hidden_value(text)).into_owned();
                known.extend([text.to_owned(), debug].map(|text| (text, shown.clone())));
                known.extend(cut_at_slashes(text));
            }
        }
        known.retain(|(text, shown)| text != shown);
        known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        known.dedup();
        Self(known)
    }

    /// The text without these secrets, and without anything else that looks like a secret.
    pub(crate) fn hidden(&self, text: &str) -> String {
        let known = self.0.iter().fold(text.to_owned(), |text, (secret, shown)| text.replace(secret, shown));
        hidden(&known)
    }
}

/// The pieces of a value that may be printed where it was taken for a path and cut at slashes.
fn cut_at_slashes(value: &str) -> Vec<(String, String)> {
    let login =
        value.rsplit_once('@').map_or("", |(before, _)| before.split_once("://").map_or(before, |(_, login)| login));
    let Some((_, password)) = login.split_once(':') else { return Vec::new() };
    let pieces = password.split('/').filter(|piece| piece.len() > 3 && password.contains('/'));
    let pieces = pieces.map(|piece| (piece.to_owned(), HIDDEN.to_owned()));
    pieces.chain([(format!("{login}@"), format!("{}@", without_password(login)))]).collect()
}

/// A value without its secret. It is one word, even if it has spaces or quotes.
fn hidden_value(value: &str) -> String {
    if let Some((scheme, rest)) = value.split_once("://") {
        return hidden(&format!("{scheme}://{}", without_login(scheme, rest)));
    }
    // `user:password@host`, without a scheme.
    match value.rsplit_once('@').filter(|(login, _)| login.contains(':')) {
        Some((login, host)) => hidden(&format!("{}@{host}", without_password(login))),
        None => hidden(value),
    }
}

fn without_login(scheme: &str, rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port_or_password = authority.split_once(':').map_or("", |(_, port)| port);
    // A path may hold an `@` as well. An authority without one, whose colon stands before a port, has no password.
    let is_login = authority.contains('@') || !port_or_password.bytes().all(|byte| byte.is_ascii_digit());
    match rest.rsplit_once('@').filter(|_| is_login) {
        Some((login, host)) if login.contains(':') => format!("{}@{host}", without_password(login)),
        // For some services a name alone is the secret; for PostgreSQL it is not.
        Some((_, host)) if !scheme.ends_with("postgres") && !scheme.ends_with("postgresql") => {
            format!("{HIDDEN}@{host}")
        }
        _ => rest.to_owned(),
    }
}

fn without_password(login: &str) -> String {
    if login == PLACEHOLDER {
        return login.to_owned();
    }
    format!("{}:{HIDDEN}", login.split(':').next().unwrap_or_default())
}

/// Running text without secrets. A URL in it ends at a space or a quote.
fn hidden(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`');
    let words = without_named(text);
    let urls = words.split_inclusive(ends).map(|word| match word.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", without_login(scheme, rest)),
        None => word.to_owned(),
    });
    without_tokens(&urls.collect::<String>())
}

/// Hides `password=…` up to the character that ends a value in a URL or a cookie.
fn without_named(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let first = NAMES.iter().filter_map(|name| lower.find(&format!("{name}=")).map(|at| at + name.len() + 1)).min();
    let Some(at) = first else { return text.to_owned() };
    let (before, value) = text.split_at(at);
    let end = value
        .find(|c: char| matches!(c, '&' | ';' | ',') || c.is_whitespace() || matches!(c, '\'' | '"' | '`'))
        .unwrap_or(value.len());
    let (secret, rest) = value.split_at(end);
    let secret = if secret.is_empty() { "" } else { HIDDEN };
    format!("{before}{secret}{}", without_named(rest))
}

/// Hides tokens. Each begins with `eyJ`, as every JSON object in base64 does.
fn without_tokens(text: &str) -> String {
    let Some((before, rest)) = text.split_once("eyJ") else { return text.to_owned() };
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.%=+/".contains(c)).unwrap_or(rest.len());
    let token = if length < 8 { format!("eyJ{}", &rest[..length]) } else { format!("eyJ{HIDDEN}") };
    format!("{before}{token}{}", without_tokens(&rest[length..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(arguments: &[&str]) -> Secrets {
        Secrets::of(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_looks_like_a_secret_is_hidden_in_running_text() {
        for (text, shown) in [
            ("bad 'postgresql://u:s3cr3t@h/db' here", "bad 'postgresql://u:****@h/db' here"),
            ("postgresql://u:p@ss/w:rd@h:5432/db?a=b", "postgresql://u:****@h:5432/db?a=b"),
            ("postgresql://u:pa/ss@h/db", "postgresql://u:****@h/db"),
            ("postgresql://owner:****@127.0.0.1:1/app", "postgresql://owner:****@127.0.0.1:1/app"),
            ("postgresql://USER:PASSWORD@HOST:PORT/DATABASE", "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
            ("postgresql://owner@h:5432/app", "postgresql://owner@h:5432/app"),
            ("https://npm.org/@scope/x https://h:8080/@y", "https://npm.org/@scope/x https://h:8080/@y"),
            ("https://ghp_token@github.com/x", "https://****@github.com/x"),
            ("postgresql://h/db?user=u&password=s3cr3t&x=1", "postgresql://h/db?user=u&password=****&x=1"),
            ("host=h PASSWORD=s3cr3t dbname=x", "host=h PASSWORD=**** dbname=x"),
            ("next-auth.session-token=abc; a=b", "next-auth.session-token=****; a=b"),
            ("'eyJhbGciOiJkaXIi.abc-_def'", "'eyJ****'"),
            ("eyJ is short, --secret-file FILE", "eyJ is short, --secret-file FILE"),
        ] {
            assert_eq!(Secrets::default().hidden(text), shown);
        }
    }

    #[test]
    fn an_argument_is_known_whatever_stands_in_its_password() {
        for secret in ["s3 cr'3t", "a`b\"c", "x,y", "p@/?#:", "tab\tnew\nline"] {
            for argument in [
                format!("postgresql://u:{secret}@h/db"),
                format!("--limit=postgresql://u:{secret}@h/db"),
                format!("u:{secret}@h/db"),
            ] {
                let said =
                    of(&[&argument]).hidden(&format!("error: unexpected argument '{argument}' found, {argument:?}"));
                assert!(!said.contains(secret), "{said}");
                assert!(said.contains("u:****@h/db"), "{said}");
            }
        }
    }

    #[test]
    fn an_argument_is_known_also_where_it_was_cut_at_a_slash() {
        let secrets = of(&["--output=postgresql://u:p@/s3cr3t/x@h/db"]);
        for cut in ["postgresql://u:p@/s3cr3t", "u:p@/s3cr3t/x@h", "s3cr3t/x@h"] {
            assert!(!secrets.hidden(cut).contains("s3cr3t"), "{cut}");
        }
    }

    #[test]
    fn an_argument_cannot_write_a_line_of_its_own() {
        assert_eq!(of(&["x\nhint: rm"]).hidden("unexpected 'x\nhint: rm'"), "unexpected 'x\\nhint: rm'");
    }

    proptest! {
        #[test]
        fn no_password_is_echoed(password in "[a-zA-Z0-9@/?#:&=%' \"]{6,20}", name in "[a-z]{1,8}") {
            // Letters that cannot come from elsewhere in the text.
            let password = format!("XQ{password}QX");
            let argument = format!("postgresql://{name}:{password}@h/db");
            let said = of(&[&argument]).hidden(&format!("invalid value '{argument}' for '--limit <N>'"));
            prop_assert!(!said.contains("XQ") && !said.contains("QX"), "{said}");
        }

        #[test]
        fn hiding_twice_hides_the_same(text in "\\PC{0,40}(://|password=|eyJ)\\PC{0,40}") {
            let once = Secrets::default().hidden(&text);
            prop_assert_eq!(Secrets::default().hidden(&once), once);
        }
    }
}
