//! Minting: claims in, a token and its cookies out.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cookies::{Cookie, chunk};
use crate::error::{Error, Result};
use crate::jwe;
use crate::library::{Library, Naming};
use crate::secret::Secret;

/// Browsers keep no cookie longer than 400 days (RFC 6265bis, section 5.5).
pub const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How a session is minted.
#[derive(Debug, Clone)]
pub struct MintOptions {
    /// For which library.
    pub library: Library,
    /// Whether the application is reached by https.
    pub secure: bool,
    /// How long it is valid, in whole seconds.
    pub max_age: Duration,
    /// The time of minting, since 1970.
    pub now: Duration,
    /// What the application calls its cookie, and salts its keys with.
    pub naming: Naming,
}

/// A session: who has it is the user.
#[derive(Clone, Serialize)]
pub struct Session {
    /// The library that accepts it.
    pub library: Library,
    /// The cookie's name, without the number of a chunk.
    pub cookie_name: String,
    /// The name's prefix `__Secure-` binds it to https.
    pub secure: bool,
    /// In seconds since 1970.
    pub issued_at: u64,
    /// In seconds since 1970.
    pub expires_at: u64,
    /// The token in one piece.
    pub token: String,
    /// The token as cookies.
    pub cookies: Vec<Cookie>,
    /// What it says.
    pub claims: Map<String, Value>,
}

impl Session {
    /// The value of the header `Cookie:`.
    pub fn cookie_header(&self) -> String {
        let pair = |cookie: &Cookie| format!("{}={}", cookie.name, cookie.value);
        self.cookies.iter().map(pair).collect::<Vec<_>>().join("; ")
    }
}

/// Mints a session with these claims, and with `iat`, `exp` and `jti`, which replace those of the claims.
///
/// # Errors
/// [`Error::Random`].
pub fn mint(mut claims: Map<String, Value>, secret: &Secret, options: &MintOptions) -> Result<Session> {
    let (issued_at, max_age) = (options.now.as_secs(), options.max_age.as_secs());
    let expires_at = issued_at + max_age;
    claims.insert("iat".to_owned(), issued_at.into());
    claims.insert("exp".to_owned(), expires_at.into());
    claims.insert("jti".to_owned(), new_id()?.into());
    let (library, secure) = (options.library, options.secure);
    let cookie_name = options.naming.cookie.clone().unwrap_or_else(|| library.cookie_name(secure).to_owned());
    let usual = if library == Library::AuthJs { cookie_name.as_str() } else { "" };
    let salt = options.naming.salt.as_deref().unwrap_or(usual);
    let key = library.key(secret.first(), salt, library.encryption());
    let content = Zeroizing::new(serde_json::to_vec(&claims).expect("a map with text keys is JSON"));
    let token = jwe::seal(library.encryption(), &key, &library.header(&key), &content)?;
    let cookies = chunk(library, &cookie_name, &token);
    Ok(Session { library, cookie_name, secure, issued_at, expires_at, token, cookies, claims })
}

/// A UUID of version 4.
fn new_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// Claims from a file, for a session without a database: what stands in it, with `userId` and `sessionIssuedAt` where they are
/// missing.
///
/// # Errors
/// [`Error::Claims`]: it is not an object, or does not say who it is.
pub fn offline_claims(text: &str, now: Duration) -> Result<Map<String, Value>> {
    let refused = |why: &str| Error::Claims { why: why.to_owned() };
    let parsed = serde_json::from_str(text).map_err(|error| Error::Claims { why: format!("not JSON: {error}") })?;
    let Value::Object(mut claims) = parsed else { return Err(refused("not an object")) };
    let sub = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
    let sub = sub.ok_or_else(|| refused("`sub`, the user's id, is missing or not text"))?.to_owned();
    claims.entry("userId").or_insert_with(|| sub.into());
    let now = tenancy_config::milliseconds(now);
    claims.entry("sessionIssuedAt").or_insert_with(|| now.into());
    Ok(claims)
}
