//! The password of a declared login, and what the server is told of it: a SCRAM verifier, so that no statement and no log has the password.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// How often the server hashes a password by default.
const ITERATIONS: u32 = 4096;

/// A random password of letters, digits, `-` and `_`, which needs no encoding in a URL.
pub(crate) fn random() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 24]);
    getrandom::fill(&mut *bytes).map_err(Error::Random)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

/// The verifier of a password (RFC 5803), with a random salt.
pub(crate) fn verifier(password: &str) -> Result<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(Error::Random)?;
    Ok(verifier_with(password, &salt))
}

fn verifier_with(password: &str, salt: &[u8]) -> String {
    let mut salted = Zeroizing::new([0; 32]);
    pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, ITERATIONS, &mut *salted);
    let stored = Sha256::digest(mac(&*salted, b"Client Key"));
    let server = mac(&*salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any size");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_computed_as_the_server_does() {
        // Password and salt of RFC 7677; the keys as Python's hashlib and hmac compute them. A login proves it on a server.
        let (salt, rest) = (
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        );
        let verifier = verifier_with("pencil", &STANDARD.decode(salt).unwrap());
        assert_eq!(verifier, format!("SCRAM-SHA-256$4096:{salt}${rest}"));
    }

    #[test]
    fn no_two_passwords_are_alike_and_none_needs_encoding() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert!(one.len() == 32 && *one != *other);
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    }
}
