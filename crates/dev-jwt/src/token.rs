//! Opening a token as a library would, and if it does not open, finding out why.

use serde_json::{Map, Value};

use crate::jwe::{Encryption, Jwe};
use crate::library::{Library, key_id};
use crate::problem::Problem;
use crate::secret::Secret;

/// How far the clocks may be apart, in seconds; both libraries take 15.
const TOLERANCE: f64 = 15.0;

/// What a token is opened with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opener<'a> {
    pub(crate) secret: &'a Secret,
    /// A salt that the application chose; else it follows from library and cookie.
    pub(crate) salt: Option<&'a str>,
    /// In seconds since 1970.
    pub(crate) now: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// The library that the token is made for.
    pub(crate) library: Option<Library>,
    /// The cookie's name that the key depends on, if it does.
    pub(crate) cookie_name: Option<String>,
    /// What it says; `None` where it does not open.
    pub(crate) claims: Option<Map<String, Value>>,
    /// Why the library does not accept it.
    pub(crate) problems: Vec<Problem>,
}

impl Opener<'_> {
    /// Opens a token as this library does, for a cookie of one of these names.
    pub(crate) fn open(&self, token: &str, wanted: Library, names: &[String]) -> Opened {
        let jwe = match Jwe::parse(token) {
            Ok(jwe) => jwe,
            Err(why) => return Opened { problems: vec![Problem::Malformed { why }], ..Opened::default() },
        };
        for name in names {
            if let Some(content) = self.as_library(&jwe, wanted, name) {
                let cookie_name = (wanted == Library::AuthJs).then(|| name.clone());
                let mut opened = Opened { library: Some(wanted), cookie_name, ..Opened::default() };
                claims(&content, self.now, &mut opened);
                return opened;
            }
        }
        self.explained(&jwe, wanted, names)
    }

    /// The library that a token is made for, as far as that can be told.
    pub(crate) fn library_of(&self, token: &str, names: &dyn Fn(Library) -> Vec<String>) -> Option<Library> {
        let jwe = Jwe::parse(token).ok()?;
        let opens = |library: Library| names(library).iter().any(|name| self.as_library(&jwe, library, name).is_some());
        let by_encryption = match jwe.encryption {
            Encryption::A256Gcm if jwe.kid.is_none() => Library::NextAuth,
            _ => Library::AuthJs,
        };
        Library::ALL.into_iter().find(|library| opens(*library)).or(Some(by_encryption))
    }

    /// What the library itself does: NextAuth has one secret and one encryption, Auth.js chooses the secret by the id of its key.
    fn as_library(&self, jwe: &Jwe, library: Library, name: &str) -> Option<Vec<u8>> {
        let salt = self.salt_for(library, name);
        match library {
            Library::NextAuth if jwe.encryption != Encryption::A256Gcm => None,
            Library::NextAuth => jwe.open(&library.key(self.secret.first(), salt, jwe.encryption)),
            Library::AuthJs => {
                let key = self
                    .secret
                    .all()
                    .map(|secret| library.key(secret, salt, jwe.encryption))
                    .find(|key| jwe.kid.as_deref().is_none_or(|kid| kid == key_id(key)))?;
                jwe.open(&key)
            }
        }
    }

    fn salt_for<'b>(&'b self, library: Library, name: &'b str) -> &'b str {
        self.salt.unwrap_or(match library {
            Library::NextAuth => "",
            Library::AuthJs => name,
        })
    }

    /// Why a token does not open: for another library or cookie, by a later secret, changed, or of another secret.
    fn explained(&self, jwe: &Jwe, wanted: Library, names: &[String]) -> Opened {
        let mut changed = false;
        let usual = Library::ALL.map(|library| [false, true].map(|secure| library.cookie_name(secure).to_owned()));
        let all: Vec<&String> = names.iter().chain(usual.iter().flatten()).collect();
        for library in [wanted].into_iter().chain(Library::ALL) {
            for (name, secret) in all.iter().flat_map(|name| self.secret.all().map(move |secret| (*name, secret))) {
                let key = library.key(secret, self.salt_for(library, name), jwe.encryption);
                let Some(content) = jwe.open(&key) else {
                    changed |= jwe.kid.as_deref() == Some(key_id(&key).as_str()) || jwe.reads_as_text(&key);
                    continue;
                };
                let bound = library == Library::AuthJs && self.salt.is_none();
                let cookie_name = bound.then(|| name.clone());
                let mut opened = Opened { library: Some(library), cookie_name, ..Opened::default() };
                opened.problems.push(match names.first() {
                    _ if library != wanted => Problem::WrongLibrary { made_for: library, wanted },
                    Some(first) if bound && !names.contains(name) => {
                        Problem::WrongCookieName { name: name.clone(), wanted: first.clone() }
                    }
                    _ => Problem::WrongSecret,
                });
                claims(&content, self.now, &mut opened);
                return opened;
            }
        }
        let library = match jwe.encryption {
            Encryption::A256Gcm if jwe.kid.is_none() => Library::NextAuth,
            _ => Library::AuthJs,
        };
        let mut problems = Vec::new();
        if library != wanted {
            problems.push(Problem::WrongLibrary { made_for: library, wanted });
        }
        problems.push(if changed { Problem::Tampered } else { Problem::WrongSecret });
        Opened { library: Some(library), problems, ..Opened::default() }
    }
}

/// The checks of `jose`, with which both libraries open tokens.
fn claims(content: &[u8], now: u64, opened: &mut Opened) {
    let Ok(Value::Object(claims)) = serde_json::from_slice(content) else {
        opened.problems.push(Problem::Malformed { why: "its content is not a JSON object".to_owned() });
        return;
    };
    let mut time = |name: &str| match claims.get(name) {
        None => None,
        Some(value) => {
            let seconds = value.as_f64();
            if seconds.is_none() {
                opened.problems.push(Problem::Malformed { why: format!("its `{name}` is not a number") });
            }
            seconds
        }
    };
    let now = now as f64;
    let (_, expires, begins) = (time("iat"), time("exp"), time("nbf"));
    if let Some(at) = expires.filter(|at| *at <= now - TOLERANCE) {
        opened.problems.push(Problem::Expired { at: at.max(0.0) as u64 });
    }
    if let Some(at) = begins.filter(|at| *at > now + TOLERANCE) {
        opened.problems.push(Problem::NotYet { at: at.max(0.0) as u64 });
    }
    opened.claims = Some(claims);
}
