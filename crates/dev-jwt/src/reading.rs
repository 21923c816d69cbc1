//! Reading a token: what it says, and every reason why the application would not accept it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::explain::explanations;
use crate::given::{self, Given};
use crate::join;
use crate::library::{Library, Naming};
use crate::place::{Place, decode_uri};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::shown_name::shown_name;
use crate::tenant_cookie::TenantCookie;
use crate::token::{Opened, Opener};

/// How a token is read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The library that the application uses; `None` is the token's own.
    pub library: Option<Library>,
    /// Whether the application is reached by https; `None` where that is not known.
    pub secure: Option<bool>,
    /// The time of reading, since 1970.
    pub now: Duration,
    /// What the application calls its cookie, and salts its keys with.
    pub naming: Naming,
}

/// What was given.
pub enum Read {
    /// A session's token.
    Session(DecodedSession),
    /// A tenant cookie.
    Tenant(TenantCookie, Vec<Problem>),
}

/// A session's token, as far as it can be read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DecodedSession {
    /// The library that it is made for.
    pub library: Option<Library>,
    /// The cookie that carries it, where that is known.
    pub cookie_name: Option<String>,
    /// What it says; `None` where it does not open.
    pub claims: Option<Map<String, Value>>,
    /// Why the application does not accept it; none if it does.
    pub problems: Vec<Problem>,
    /// What each place of the application does with the cookies; none where a token was given without one.
    pub places: Vec<PlaceReading>,
    /// The tenant cookies beside the session, each with why it does not count.
    pub tenant_cookies: Vec<(TenantCookie, Vec<Problem>)>,
}

/// What one place does with the cookies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceReading {
    /// The place.
    pub place: Place,
    /// The cookie that it looks for.
    pub cookie_name: String,
    /// Whether the user is signed in there.
    pub accepted: bool,
    /// Why not.
    pub problems: Vec<Problem>,
}

/// Reads a token, a cookie header or a tenant cookie.
pub fn read(text: &str, secret: &Secret, options: &ReadOptions) -> Read {
    if let Some((cookie, signature)) = TenantCookie::parse(text) {
        let problems = cookie.problems(&signature, secret, options.now);
        return Read::Tenant(cookie, problems);
    }
    let given = given::read(text, options.now.as_secs());
    let reader =
        Reader { options, opener: Opener { secret, salt: options.naming.salt.as_deref(), now: options.now.as_secs() } };
    Read::Session(match &given.header {
        Some(header) => reader.cookies(header, &given),
        None => reader.bare(&given),
    })
}

struct Reader<'a> {
    options: &'a ReadOptions,
    opener: Opener<'a>,
}

impl Reader<'_> {
    /// The names that a library may look for, the likelier first; one where the scheme is known and `strict`.
    fn names(&self, library: Library, strict: bool) -> Vec<String> {
        if let Some(name) = &self.options.naming.cookie {
            return vec![name.clone()];
        }
        let secure = self.options.secure.unwrap_or(false);
        let both = [secure, !secure].map(|secure| library.cookie_name(secure).to_owned());
        let wanted = if strict && self.options.secure.is_some() { 1 } else { 2 };
        both.into_iter().take(wanted).collect()
    }

    /// A token without a cookie, or behind `Authorization:`.
    fn bare(&self, given: &Given) -> DecodedSession {
        let token = match &given.authorization {
            None => given.token.clone(),
            Some(line) => match bearer(line) {
                Ok(token) => token,
                Err(why) => {
                    let problems = vec![Problem::Malformed { why: why.to_owned() }];
                    return DecodedSession { problems, ..DecodedSession::default() };
                }
            },
        };
        let library =
            self.options.library.or_else(|| self.opener.library_of(&token, &|library| self.names(library, false)));
        let library = library.unwrap_or_default();
        let opened = self.opener.open(&token, library, &self.names(library, true));
        let Opened { library, cookie_name, claims, problems } = opened;
        DecodedSession { library, cookie_name, claims, problems, ..DecodedSession::default() }
    }

    fn cookies(&self, header: &str, given: &Given) -> DecodedSession {
        let found = self.find(header);
        if found.is_none() && given.authorization.is_some() {
            return self.bare(given);
        }
        let mut session = DecodedSession::default();
        let (library, name) = found.clone().unwrap_or_else(|| {
            let library = self.options.library.unwrap_or_default();
            (library, self.names(library, true).swap_remove(0))
        });
        let wanted = self.options.library.unwrap_or(library);
        for place in Place::ALL {
            // The other library is asked only where it is not known which one the application uses.
            if self.options.library.is_some_and(|library| library != place.library()) {
                continue;
            }
            let of_wanted = place.library() == wanted;
            let name = if of_wanted || self.options.naming.cookie.is_some() {
                name.clone()
            } else {
                place.library().cookie_name(name.starts_with("__Secure-")).to_owned()
            };
            let (reading, opened) = self.place(place, header, given, &name);
            if of_wanted {
                session.problems.extend(reading.problems.iter().cloned());
                session.library = session.library.or(opened.library);
                if session.claims.is_none() && opened.claims.is_some() {
                    session.claims = opened.claims;
                    session.cookie_name = opened.cookie_name;
                }
            }
            session.places.push(reading);
        }
        session.library = session.library.or(found.as_ref().map(|(library, _)| *library));
        session.cookie_name = session.cookie_name.or(found.map(|(_, name)| name));
        let mut known = Vec::new();
        session.problems.retain(|problem| {
            !known.contains(problem) && {
                known.push(problem.clone());
                true
            }
        });
        session.tenant_cookies = TenantCookie::beside(header, self.opener.secret, self.options.now);
        session
    }

    /// The library and the name of the session that the cookies have: the wanted library's under the wanted scheme, then any.
    fn find(&self, header: &str) -> Option<(Library, String)> {
        let token = |library: Library, name: &str| {
            let mut places = Place::ALL.into_iter().filter(|place| place.library() == library);
            places.find_map(|place| {
                let parts = join::parts(place, header, name);
                (!parts.is_empty()).then(|| parts.into_iter().map(|part| part.value).collect::<String>())
            })
        };
        if let Some(name) = &self.options.naming.cookie {
            let text = token(Library::NextAuth, name).or_else(|| token(Library::AuthJs, name))?;
            let made_for = || self.opener.library_of(&text, &|_| vec![name.clone()]);
            return Some((self.options.library.or_else(made_for).unwrap_or_default(), name.clone()));
        }
        let libraries = self.options.library.into_iter().chain(Library::ALL);
        let mut names =
            libraries.flat_map(|library| self.names(library, false).into_iter().map(move |name| (library, name)));
        names.find(|(library, name)| token(*library, name).is_some())
    }

    /// What a place does with the cookies under this name.
    fn place(&self, place: Place, header: &str, given: &Given, name: &str) -> (PlaceReading, Opened) {
        let library = place.library();
        let parts = join::parts(place, header, name);
        let token: String = parts.iter().map(|part| part.value.as_str()).collect();
        let mut opened = if header.contains(|c: char| c.is_ascii_control() && c != '\t') {
            let why = "a control character stands in the line, and no server takes such a header".to_owned();
            Opened { problems: vec![Problem::Malformed { why }], ..Opened::default() }
        } else if token.is_empty() {
            Opened { problems: self.none(place, header, given, name), ..Opened::default() }
        } else {
            self.opener.open(&token, library, &[name.to_owned()])
        };
        if opened.claims.is_none() && !token.is_empty() {
            let opens = |token: &str| self.opener.open(token, library, &[name.to_owned()]).claims.is_some();
            let reasons = explanations(place, header, &parts, name, &opens);
            if !reasons.is_empty() {
                opened.problems = reasons;
            }
        } else if opened.problems.is_empty() {
            let wanted = self.names(library, true);
            if let [wanted] = &wanted[..]
                && wanted != name
            {
                opened.problems.push(Problem::WrongCookieName { name: name.to_owned(), wanted: wanted.clone() });
            }
        }
        let problems = opened.problems.clone();
        (PlaceReading { place, cookie_name: name.to_owned(), accepted: problems.is_empty(), problems }, opened)
    }

    /// Why there is no session in the cookies.
    fn none(&self, place: Place, header: &str, given: &Given, name: &str) -> Vec<Problem> {
        let lost = given.lost.iter().filter(|lost| lost.name.starts_with(name));
        let lost: Vec<Problem> =
            lost.map(|lost| Problem::NotSent { name: shown_name(&lost.name), why: lost.why.clone() }).collect();
        if !lost.is_empty() {
            return lost;
        }
        let mut cookies = Vec::new();
        for (name, _) in place.cookies(header) {
            let shown = shown_name(&name);
            if !cookies.contains(&shown) {
                cookies.push(shown);
            }
        }
        vec![Problem::NoSession { wanted: vec![name.to_owned()], cookies }]
    }
}

/// The token behind `Authorization:`, as the libraries take it.
fn bearer(line: &str) -> Result<String, &'static str> {
    let mut words = line.split(' ');
    if words.next() != Some("Bearer") {
        return Err("`Authorization:` does not begin with `Bearer`, in these capitals");
    }
    decode_uri(words.next().unwrap_or_default())
        .ok_or("a percent sign of the token is not followed by what it stands for")
}
