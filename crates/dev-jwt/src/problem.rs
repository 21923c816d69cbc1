//! Why a token is not accepted.

use std::fmt;

use serde::Serialize;

use crate::library::Library;

/// Which of two cookies with one name is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// As `cookie` does.
    First,
    /// As `@edge-runtime/cookies` does.
    Last,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Last => "last",
        })
    }
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
        name: String,
    },
    /// Another cookie has a name that begins with the session's, and the library joins it to the session.
    SiblingCookie {
        /// The other cookie's name.
        name: String,
    },
    /// A chunk of an earlier session stands behind the last one of this session.
    StaleChunk {
        /// Its number.
        chunk: usize,
    },
    /// The line has one name twice, with different values.
    RepeatedCookie {
        /// The name.
        name: String,
        /// Which of them is read where it does not open.
        taken: Taken,
    },
    /// There are cookies, and none of them is a session.
    NoSession {
        /// The names that were looked for.
        wanted: Vec<String>,
        /// The names that are there.
        cookies: Vec<String>,
    },
    /// No browser sends it.
    NotSent {
        /// The cookie's name.
        name: String,
        /// The reason, as the second half of a sentence.
        why: String,
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
        name: String,
        /// The name that is looked for.
        wanted: String,
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
    /// The application wants a claim that it does not have.
    MissingClaim {
        /// The claim's name.
        claim: String,
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
            Self::SiblingCookie { name } => {
                write!(
                    f,
                    "another cookie: the name {name} begins with the session's, and the library joins it to the session"
                )
            }
            Self::StaleChunk { chunk } => {
                write!(
                    f,
                    "stale chunk: the cookie that ends in .{chunk} is of an earlier session, and the library joins it"
                )
            }
            Self::RepeatedCookie { name, taken } => {
                write!(f, "twice: the line has {name} with different values, and the {taken} one is read")
            }
            Self::NoSession { wanted, cookies } => {
                write!(f, "no session: {} is looked for, and ", wanted.join(" or "))?;
                match &cookies[..] {
                    [] => f.write_str("there are no cookies"),
                    [one] => write!(f, "there is {one}"),
                    all => write!(f, "there are {}", all.join(", ")),
                }
            }
            Self::NotSent { name, why } => write!(f, "not sent: no browser sends {name}: {why}"),
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
            Self::MissingClaim { claim } => write!(f, "claim missing: the application wants `{claim}`"),
            Self::UserGone { id } => write!(f, "user gone: there is none with the id {id}"),
            Self::MembershipGone { tenant } => {
                write!(f, "membership gone: the user is no member of `{tenant}` any more")
            }
            Self::TenantGone { id } => write!(f, "tenant gone: there is none with the id {id}"),
            Self::TenantInactive { tenant, status } => write!(f, "tenant out of use: `{tenant}` is {status}"),
        }
    }
}
