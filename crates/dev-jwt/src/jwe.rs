//! Compact JWE (RFC 7516) with a key that both sides have (`dir`), in the two encryptions that the libraries use.

use aes::Aes256;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use ctr::Ctr32BE;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha512;

use crate::error::{Error, Result};

/// How the content is encrypted (RFC 7518, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// `A256GCM`
    A256Gcm,
    /// `A256CBC-HS512`: the first half of the key authenticates, the second encrypts.
    A256CbcHs512,
}

impl Encryption {
    fn of(name: &str) -> Option<Self> {
        match name {
            "A256GCM" => Some(Self::A256Gcm),
            "A256CBC-HS512" => Some(Self::A256CbcHs512),
            _ => None,
        }
    }

    /// In bytes.
    pub(crate) fn key_size(self) -> usize {
        match self {
            Self::A256Gcm => 32,
            Self::A256CbcHs512 => 64,
        }
    }

    fn iv_size(self) -> usize {
        match self {
            Self::A256Gcm => 12,
            Self::A256CbcHs512 => 16,
        }
    }

    fn tag_size(self) -> usize {
        match self {
            Self::A256Gcm => 16,
            Self::A256CbcHs512 => 32,
        }
    }
}

/// The protected header; other members are ignored.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
    zip: Option<serde_json::Value>,
}

/// A token, split and not yet decrypted.
#[derive(Debug)]
pub(crate) struct Jwe {
    /// As the token has it, which is the form that is authenticated.
    header: String,
    pub(crate) encryption: Encryption,
    /// The id of the key, if the header has one.
    pub(crate) kid: Option<String>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// Encrypts `content`; `key` has the size that the encryption wants.
pub(crate) fn seal(encryption: Encryption, key: &[u8], header: &str, content: &[u8]) -> Result<String> {
    let header = BASE64.encode(header);
    let mut iv = vec![0; encryption.iv_size()];
    getrandom::fill(&mut iv).map_err(Error::Random)?;
    let (ciphertext, tag) = match encryption {
        Encryption::A256Gcm => {
            let mut sealed = gcm(key)
                .encrypt(iv[..].try_into().expect(SIZES), Payload { msg: content, aad: header.as_bytes() })
                .expect("a token is shorter than 64 GiB");
            let tag = sealed.split_off(content.len());
            (sealed, tag)
        }
        Encryption::A256CbcHs512 => {
            let encryptor = cbc::Encryptor::<Aes256>::new_from_slices(&key[32..], &iv).expect(SIZES);
            let sealed = encryptor.encrypt_padded_vec::<Pkcs7>(content);
            let tag = authentication(&key[..32], &header, &iv, &sealed).finalize().into_bytes()[..32].to_vec();
            (sealed, tag)
        }
    };
    Ok([header, String::new(), BASE64.encode(iv), BASE64.encode(ciphertext), BASE64.encode(tag)].join("."))
}

/// Why an `expect` about sizes holds.
const SIZES: &str = "keys are derived, and nonces made or checked, in the size that the cipher wants";

fn gcm(key: &[u8]) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key).expect(SIZES)
}

/// RFC 7518, section 5.2.2.1: header, IV, ciphertext, and the length of the header in bits.
fn authentication(key: &[u8], header: &str, iv: &[u8], ciphertext: &[u8]) -> Hmac<Sha512> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any size");
    mac.update(header.as_bytes());
    mac.update(iv);
    mac.update(ciphertext);
    mac.update(&(header.len() as u64 * 8).to_be_bytes());
    mac
}

impl Jwe {
    /// Takes a token apart. The error is the reason, as the second half of a sentence.
    pub(crate) fn parse(token: &str) -> std::result::Result<Self, String> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, key, iv, ciphertext, tag] = parts[..] else {
            return Err(format!("a compact JWE has five parts between dots, and this has {}", parts.len()));
        };
        let decoded = |what: &str, text: &str| {
            BASE64.decode(text).map_err(|error| format!("its {what} is not base64url: {error}"))
        };
        let parsed: Header = serde_json::from_slice(&decoded("header", header)?)
            .map_err(|error| format!("its header is not that of a JWE: {error}"))?;
        if parsed.alg != "dir" || !key.is_empty() {
            return Err(format!("its key is given by `{}`, and not agreed (`dir`)", parsed.alg));
        }
        if parsed.crit.is_some() || parsed.zip.is_some() {
            return Err("its header asks for `crit` or `zip`, which neither library writes".to_owned());
        }
        let encryption =
            Encryption::of(&parsed.enc).ok_or_else(|| format!("neither library encrypts by `{}`", parsed.enc))?;
        let (iv, ciphertext, tag) = (decoded("nonce", iv)?, decoded("ciphertext", ciphertext)?, decoded("tag", tag)?);
        if iv.len() != encryption.iv_size() || tag.len() != encryption.tag_size() {
            return Err("its nonce or its tag has the wrong length: a part of it is missing".to_owned());
        }
        Ok(Self { header: header.to_owned(), encryption, kid: parsed.kid, iv, ciphertext, tag })
    }

    /// The content, if this key made the token and nobody changed it.
    pub(crate) fn open(&self, key: &[u8]) -> Option<Vec<u8>> {
        if key.len() != self.encryption.key_size() {
            return None;
        }
        match self.encryption {
            Encryption::A256Gcm => {
                let sealed = [&self.ciphertext[..], &self.tag].concat();
                let payload = Payload { msg: &sealed, aad: self.header.as_bytes() };
                gcm(key).decrypt(self.iv[..].try_into().expect(SIZES), payload).ok()
            }
            Encryption::A256CbcHs512 => {
                let mac = authentication(&key[..32], &self.header, &self.iv, &self.ciphertext);
                mac.verify_truncated_left(&self.tag).ok()?;
                let decryptor = cbc::Decryptor::<Aes256>::new_from_slices(&key[32..], &self.iv).expect(SIZES);
                decryptor.decrypt_padded_vec::<Pkcs7>(&self.ciphertext).ok()
            }
        }
    }

    /// Whether this key made the token although it does not open: then what the key gives reads as text. A wrong key
    /// gives noise, of which about 95 in 256 bytes are printable. For the diagnosis only: nothing of the content is used.
    pub(crate) fn reads_as_text(&self, key: &[u8]) -> bool {
        if key.len() != self.encryption.key_size() {
            return false;
        }
        let mut text = self.ciphertext.clone();
        match self.encryption {
            Encryption::A256Gcm => {
                // GCM encrypts by counter, from 2 on (NIST SP 800-38D, section 7.1).
                let counter = [&self.iv[..], &[0, 0, 0, 2]].concat();
                let mut stream = Ctr32BE::<Aes256>::new_from_slices(key, &counter).expect(SIZES);
                stream.apply_keystream(&mut text);
            }
            Encryption::A256CbcHs512 => {
                text.truncate(text.len() / 16 * 16);
                let decryptor = cbc::Decryptor::<Aes256>::new_from_slices(&key[32..], &self.iv).expect(SIZES);
                text = decryptor.decrypt_padded_vec::<NoPadding>(&text).unwrap_or_default();
            }
        }
        let printable = text.iter().filter(|byte| (0x20..0x7f).contains(*byte)).count();
        text.len() >= 32 && printable * 4 >= text.len() * 3
    }
}
