//! What the two libraries do differently: names of cookies, size of chunks, derivation of keys, headers.
//!
//! Sources: `next-auth` 4.24 `jwt/index.js` and `core/lib/cookie.js`; `@auth/core` 0.41 `jwt.js` and `lib/utils/cookie.js`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::jwe::Encryption;

/// The library whose token it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Library {
    /// `next-auth` 4.
    #[default]
    #[serde(rename = "next-auth")]
    NextAuth,
    /// Auth.js 5, also as `next-auth` 5.
    #[serde(rename = "auth.js")]
    AuthJs,
}

impl Library {
    /// Both.
    pub const ALL: [Self; 2] = [Self::NextAuth, Self::AuthJs];

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::NextAuth => "NextAuth 4",
            Self::AuthJs => "Auth.js 5",
        }
    }

    /// The session cookie's name under https, which is `secure`, or http.
    pub fn cookie_name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::NextAuth, false) => "next-auth.session-token",
            (Self::NextAuth, true) => "__Secure-next-auth.session-token",
            (Self::AuthJs, false) => "authjs.session-token",
            (Self::AuthJs, true) => "__Secure-authjs.session-token",
        }
    }

    /// The most bytes of a token in one cookie: 4,096 less what the library reckons for name and attributes.
    pub fn chunk_size(self) -> usize {
        match self {
            Self::NextAuth => 4096 - 163,
            Self::AuthJs => 4096 - 160,
        }
    }

    pub(crate) fn encryption(self) -> Encryption {
        match self {
            Self::NextAuth => Encryption::A256Gcm,
            Self::AuthJs => Encryption::A256CbcHs512,
        }
    }

    /// The key of its tokens. With Auth.js the salt is the cookie's name, if the application has no other; with NextAuth it is empty.
    pub(crate) fn key(self, secret: &[u8], salt: &str, encryption: Encryption) -> Zeroizing<Vec<u8>> {
        let info = match self {
            Self::NextAuth if salt.is_empty() => "NextAuth.js Generated Encryption Key".to_owned(),
            Self::NextAuth => format!("NextAuth.js Generated Encryption Key ({salt})"),
            Self::AuthJs => format!("Auth.js Generated Encryption Key ({salt})"),
        };
        let mut key = Zeroizing::new(vec![0; encryption.key_size()]);
        Hkdf::<Sha256>::new(Some(salt.as_bytes()), secret)
            .expand(info.as_bytes(), &mut key)
            .expect("HKDF-SHA-256 gives up to 8,160 bytes");
        key
    }

    /// The protected header, with its members in the order in which the library writes them.
    pub(crate) fn header(self, key: &[u8]) -> String {
        match self {
            Self::NextAuth => r#"{"alg":"dir","enc":"A256GCM"}"#.to_owned(),
            Self::AuthJs => format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{}"}}"#, key_id(key)),
        }
    }
}

/// What the application calls its session cookie and salts its keys with, where that is not the library's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// The session cookie's name, without the number of a chunk.
    pub cookie: Option<String>,
    /// The salt of the keys.
    pub salt: Option<String>,
}

/// The thumbprint of a key as a JWK of the type `oct` (RFC 7638): it tells keys apart and not what they are. Auth.js takes the hash that
/// is as long as the key.
pub(crate) fn key_id(key: &[u8]) -> String {
    let jwk = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, BASE64_URL_SAFE_NO_PAD.encode(key)));
    if key.len() == Encryption::A256Gcm.key_size() {
        return BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(jwk.as_bytes()));
    }
    BASE64_URL_SAFE_NO_PAD.encode(Sha512::digest(jwk.as_bytes()))
}
