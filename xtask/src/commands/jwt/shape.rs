//! The shapes of a session: for a browser, for curl, for a shell, for end-to-end tests.

use clap::ValueEnum;
use dev_jwt::{Cookie, Session};
use serde_json::{Value, json};
use url::Url;

use super::view;
use crate::context::Context;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::document::block::{Document, code};
use crate::document::report::{self, Format, Report};

/// The values of `--format` here.
pub(super) const SHAPES: [&str; 8] = ["cookie", "set-cookie", "token", "header", "curl", "json", "env", "playwright"];

/// A shape, by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Cookie,
    SetCookie,
    Token,
    Header,
    Curl,
    Json,
    Env,
    Playwright,
}

/// Refuses a shape that the command does not have, before it begins. Before the name of the command, `--format` takes the shapes of
/// reports.
pub(super) fn check(shape: &str, shapes: &[&str]) -> Result<(), CommandFailure> {
    if shapes.contains(&shape) {
        return Ok(());
    }
    Err(no_such_shape(shape, shapes))
}

fn no_such_shape(shape: &str, shapes: &[&str]) -> CommandFailure {
    CommandError::usage(format!("there is no `{shape}` of this"), format!("--format is one of {}", shapes.join(", ")))
}

/// Writes the session in a shape that [`check`] accepted.
pub(super) fn write(context: &Context, session: &Session, shape: &str, url: &Url) -> Result<(), CommandFailure> {
    let text = match Shape::from_str(shape, false).map_err(|_| no_such_shape(shape, &SHAPES))? {
        Shape::Json => return report::write(session, Format::Json, &context.printer),
        Shape::Cookie => format!("{}\n", session.cookie_header()),
        Shape::SetCookie => lines(session, |cookie| set_cookie(cookie, session.secure, session.expires_at, "Lax")),
        Shape::Token => format!("{}\n", session.token),
        Shape::Header => format!("Cookie: {}\n", session.cookie_header()),
        Shape::Curl => curl(session, url),
        Shape::Env => env(session),
        Shape::Playwright => format!("{:#}\n", playwright(session, url)),
    };
    context.printer.secret(&text)
}

impl Report for Session {
    const NAME: &'static str = "jwt";
    const SCHEMA: Option<&'static str> = Some("jwt/1");
    const SECRET: bool = true;

    fn document(&self) -> Document {
        Document::new([code("", self.cookie_header())])
    }
}

fn lines(session: &Session, line: impl Fn(&Cookie) -> String) -> String {
    session.cookies.iter().map(|cookie| format!("{}\n", line(cookie))).collect()
}

/// The cookie with its attributes, in the order in which both libraries write them.
pub(super) fn set_cookie(cookie: &Cookie, secure: bool, expires_at: u64, same_site: &str) -> String {
    let secure = if secure { " Secure;" } else { "" };
    let expires = view::http_date(expires_at);
    format!("{}={}; Path=/; Expires={expires}; HttpOnly;{secure} SameSite={same_site}", cookie.name, cookie.value)
}

/// A command that asks the library's own endpoint who is signed in. The cookie passes through standard input: curl drops a
/// `--cookie` of more than 4,096 bytes, and others can read the arguments of a process.
fn curl(session: &Session, url: &Url) -> String {
    let base = url.as_str().trim_end_matches('/');
    // An address with a path is that of the library's endpoints; NEXTAUTH_URL is read the same way.
    let endpoint = if url.path() == "/" { format!("{base}/api/auth/session") } else { format!("{base}/session") };
    let line = quoted(&format!("Cookie: {}", session.cookie_header()));
    format!("printf '%s\\n' {line} | curl --fail-with-body --header @- {}\n", quoted(&endpoint))
}

/// Lines that a POSIX shell evaluates.
fn env(session: &Session) -> String {
    let variables = [
        ("SESSION_COOKIE", session.cookie_header()),
        ("SESSION_COOKIE_NAME", session.cookie_name.clone()),
        ("SESSION_TOKEN", session.token.clone()),
        ("SESSION_EXPIRES", session.expires_at.to_string()),
    ];
    variables.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect()
}

/// A quoted word, which no shell splits.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What Playwright's `storageState` reads.
fn playwright(session: &Session, url: &Url) -> Value {
    let cookie = |cookie: &Cookie| {
        json!({
            "name": cookie.name, "value": cookie.value, "domain": url.host_str(), "path": "/",
            "expires": session.expires_at, "httpOnly": true, "secure": session.secure, "sameSite": "Lax",
        })
    };
    json!({ "cookies": session.cookies.iter().map(cookie).collect::<Vec<_>>(), "origins": [] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_a_shape() {
        let names: Vec<_> = Shape::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        assert_eq!(names.iter().map(|name| name.get_name()).collect::<Vec<_>>(), SHAPES);
    }

    #[test]
    fn a_quoted_word_stays_one() {
        assert_eq!(quoted("a'b $c"), r"'a'\''b $c'");
    }
}
