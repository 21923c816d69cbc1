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
use crate::secret::Secret;

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

    /// The key of its tokens. With Auth.js it depends on the cookie's name.
    pub(crate) fn key(self, secret: &Secret, cookie_name: &str) -> Zeroizing<Vec<u8>> {
        let (salt, info) = match self {
            Self::NextAuth => ("", "NextAuth.js Generated Encryption Key".to_owned()),
            Self::AuthJs => (cookie_name, format!("Auth.js Generated Encryption Key ({cookie_name})")),
        };
        let mut key = Zeroizing::new(vec![0; self.encryption().key_size()]);
        Hkdf::<Sha256>::new(Some(salt.as_bytes()), secret.bytes())
            .expand(info.as_bytes(), &mut key)
            .expect("HKDF-SHA-256 gives up to 8,160 bytes");
        key
    }

    /// The protected header, with its members in the order in which the library writes them.
    pub(crate) fn header(self, key: &[u8]) -> String {
        match self {
            Self::NextAuth => r#"{"alg":"dir","enc":"A256GCM"}"#.to_owned(),
            Self::AuthJs => format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{}"}}"#, thumbprint(key)),
        }
    }
}

/// The SHA-512 thumbprint of a key as a JWK of the type `oct` (RFC 7638): it tells keys apart and not what they are.
pub(crate) fn thumbprint(key: &[u8]) -> String {
    let jwk = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, BASE64_URL_SAFE_NO_PAD.encode(key)));
    BASE64_URL_SAFE_NO_PAD.encode(Sha512::digest(jwk.as_bytes()))
}
