//! Reading a token: what it says, and every reason why the application would not accept it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cookies::{self, CookieFault, GivenCookies};
use crate::jwe::{Encryption, Jwe};
use crate::library::{Library, thumbprint};
use crate::secret::Secret;
use crate::tenant_cookie::TenantCookie;

/// How far the clocks may be apart, in seconds; both libraries take 15.
const TOLERANCE: u64 = 15;

/// How a token is read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The library that the application uses; `None` is the token's own.
    pub library: Option<Library>,
    /// Whether the application is reached by https; `None` where that is not known.
    pub secure: Option<bool>,
    /// The time of reading, since 1970.
    pub now: Duration,
}

/// What was given.
pub enum Read {
    /// A session's token.
    Session(DecodedSession),
    /// A tenant cookie.
    Tenant(TenantCookie, Vec<Problem>),
}

/// A session's token, as far as it can be read.
#[derive(Debug, Clone, Serialize)]
pub struct DecodedSession {
    /// The library that it is made for.
    pub library: Option<Library>,
    /// The cookie that carries it, where that is known.
    pub cookie_name: Option<&'static str>,
    /// What it says; `None` where it does not open.
    pub claims: Option<Map<String, Value>>,
    /// Why the application does not accept it; none if it does.
    pub problems: Vec<Problem>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// It is no token.
    Malformed {
        /// The reason, as the second half of a sentence.
        why: String,
    },
    /// It was made with another secret.
    WrongSecret,
    /// The signature of a tenant cookie does not fit, which does not tell whether the secret or the cookie is another.
    WrongSignature,
    /// It was made with this secret and changed since.
    Tampered,
    /// A part of it is not there.
    MissingChunk {
        /// Its number.
        chunk: usize,
    },
    /// There is an old whole cookie beside the chunks, and the library joins them all.
    LeftoverCookie {
        /// The cookie's name.
        name: &'static str,
    },
    /// It is made for the other library.
    WrongLibrary {
        /// The one that it is made for.
        made_for: Library,
        /// The one that reads it.
        wanted: Library,
    },
    /// The application looks for a cookie of another name.
    WrongCookieName {
        /// The name that it is made for, or was given under.
        name: &'static str,
        /// The name that is looked for.
        wanted: &'static str,
    },
    /// It was valid until then.
    Expired {
        /// In seconds since 1970.
        at: u64,
    },
    /// It is not valid before then.
    NotYet {
        /// In seconds since 1970.
        at: u64,
    },
    /// The user has been signed out everywhere since.
    SessionEnded {
        /// `sessionVersion` in the token.
        token: i64,
        /// `sessionVersion` of the user.
        user: i64,
    },
    /// There is no such user any more.
    UserGone {
        /// The user's id.
        id: String,
    },
    /// The user is no member of its tenant any more.
    MembershipGone {
        /// The tenant's slug.
        tenant: String,
    },
    /// There is no such tenant any more.
    TenantGone {
        /// The tenant's id.
        id: String,
    },
    /// Its tenant is out of use.
    TenantInactive {
        /// The tenant's slug.
        tenant: String,
        /// Its state.
        status: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { why } => write!(f, "no token: {why}"),
            Self::WrongSecret => f.write_str("wrong secret: it was made with another one"),
            Self::WrongSignature => f.write_str("wrong signature: another secret made it, or it was changed since"),
            Self::Tampered => f.write_str("tampered: it was made with this secret and changed since"),
            Self::MissingChunk { chunk } => write!(f, "missing chunk: the cookie that ends in .{chunk} is not there"),
            Self::LeftoverCookie { name } => {
                write!(f, "left over: an old cookie {name} stands beside its chunks, and the library joins them all")
            }
            Self::WrongLibrary { made_for, wanted } => {
                write!(f, "wrong library: it is made for {}, and {} reads it", made_for.title(), wanted.title())
            }
            Self::WrongCookieName { name, wanted } => {
                write!(f, "wrong cookie: it belongs into {name}, and the application looks for {wanted}")
            }
            Self::Expired { .. } => f.write_str("expired"),
            Self::NotYet { .. } => f.write_str("not valid yet"),
            Self::SessionEnded { token, user } => {
                write!(f, "signed out: it has sessionVersion {token}, and the user is at {user}")
            }
            Self::UserGone { id } => write!(f, "user gone: there is none with the id {id}"),
            Self::MembershipGone { tenant } => {
                write!(f, "membership gone: the user is no member of `{tenant}` any more")
            }
            Self::TenantGone { id } => write!(f, "tenant gone: there is none with the id {id}"),
            Self::TenantInactive { tenant, status } => write!(f, "tenant out of use: `{tenant}` is {status}"),
        }
    }
}

/// Reads a token, a cookie header or a tenant cookie.
pub fn read(text: &str, secret: &Secret, options: &ReadOptions) -> Read {
    if let Some((cookie, signature)) = TenantCookie::parse(text) {
        let mut problems = Vec::new();
        if !cookie.is_signed(&signature, secret) {
            problems.push(Problem::WrongSignature);
        }
        if u128::from(cookie.expires_at()) <= options.now.as_millis() {
            problems.push(Problem::Expired { at: cookie.expires_at() / 1000 });
        }
        return Read::Tenant(cookie, problems);
    }
    let given = cookies::read(text, options.library, options.secure.unwrap_or(false));
    Read::Session(session(&given, secret, options))
}

fn session(given: &GivenCookies, secret: &Secret, options: &ReadOptions) -> DecodedSession {
    let (library, cookie_name) = given.cookie.unzip();
    let mut session = DecodedSession { library, cookie_name, claims: None, problems: Vec::new() };
    match &given.fault {
        Some(CookieFault::Missing(chunk)) => session.problems.push(Problem::MissingChunk { chunk: *chunk }),
        Some(CookieFault::Leftover) => {
            session.problems.extend(cookie_name.map(|name| Problem::LeftoverCookie { name }));
        }
        Some(CookieFault::MayGoOn(_)) | None => {}
    }
    let opened = open(given, secret, options, &mut session);
    match (opened, &given.fault) {
        (Ok(content), _) => claims(&content, options.now.as_secs(), &mut session),
        // The chunks explain it.
        (Err(_), Some(CookieFault::Missing(_) | CookieFault::Leftover)) => {}
        (Err(_), Some(CookieFault::MayGoOn(next))) => session.problems.push(Problem::MissingChunk { chunk: *next }),
        (Err(problem), None) => session.problems.push(problem),
    }
    session
}

fn open(
    given: &GivenCookies,
    secret: &Secret,
    options: &ReadOptions,
    session: &mut DecodedSession,
) -> Result<Vec<u8>, Problem> {
    let jwe = Jwe::parse(&given.token).map_err(|why| Problem::Malformed { why })?;
    let library = match jwe.encryption {
        Encryption::A256Gcm => Library::NextAuth,
        Encryption::A256CbcHs512 => Library::AuthJs,
    };
    session.library = Some(library);
    let wanted = options.library.or(given.cookie.map(|(library, _)| library)).unwrap_or(library);
    if wanted != library {
        session.problems.push(Problem::WrongLibrary { made_for: library, wanted });
    }
    let first =
        given.cookie.map_or(options.secure.unwrap_or(false), |(library, name)| name == library.cookie_name(true));
    let mut changed = false;
    for name in [first, !first].map(|secure| library.cookie_name(secure)) {
        let key = library.key(secret, name);
        if let Some(content) = jwe.open(&key) {
            // The key of NextAuth 4 does not depend on the name, so there only the cookie itself has one.
            let name = if library == Library::AuthJs { Some(name) } else { given.cookie.map(|(_, name)| name) };
            session.cookie_name = name.or(session.cookie_name);
            if wanted == library {
                name_problem(name, given, library, options.secure, session);
            }
            return Ok(content);
        }
        changed |= jwe.kid.as_deref() == Some(thumbprint(&key).as_str()) || jwe.reads_as_text(&key);
    }
    Err(if changed { Problem::Tampered } else { Problem::WrongSecret })
}

/// Whether the application will look for the cookie under the name that the token has.
fn name_problem(
    name: Option<&'static str>,
    given: &GivenCookies,
    library: Library,
    secure: Option<bool>,
    session: &mut DecodedSession,
) {
    let came_under = given.cookie.map(|(_, name)| name);
    let wanted = secure.map(|secure| library.cookie_name(secure)).or(came_under);
    if let (Some(name), Some(wanted)) = (name, wanted)
        && name != wanted
    {
        session.problems.push(Problem::WrongCookieName { name, wanted });
    }
}

/// The checks of `jose`, with which both libraries open tokens.
fn claims(content: &[u8], now: u64, session: &mut DecodedSession) {
    let Ok(Value::Object(claims)) = serde_json::from_slice(content) else {
        session.problems.push(Problem::Malformed { why: "its content is not a JSON object".to_owned() });
        return;
    };
    let mut time = |name: &str| match claims.get(name) {
        None => None,
        Some(value) => {
            let seconds = value.as_f64().map(|seconds| seconds.max(0.0) as u64);
            if seconds.is_none() {
                session.problems.push(Problem::Malformed { why: format!("its `{name}` is not a number") });
            }
            seconds
        }
    };
    let (_, expires, begins) = (time("iat"), time("exp"), time("nbf"));
    if let Some(at) = expires.filter(|at| *at <= now.saturating_sub(TOLERANCE)) {
        session.problems.push(Problem::Expired { at });
    }
    if let Some(at) = begins.filter(|at| *at > now + TOLERANCE) {
        session.problems.push(Problem::NotYet { at });
    }
    session.claims = Some(claims);
}
