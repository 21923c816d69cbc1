//! The cookie `tenant_sig`: which tenant a user works in, signed so that nobody can choose another.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::place::{Place, decode_uri};
use crate::problem::Problem;
use crate::secret::Secret;

/// How long it is valid, in milliseconds.
const VALID: u64 = 24 * 60 * 60 * 1000;

/// What a tenant cookie says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantCookie {
    /// The tenant's id.
    pub tenant_id: String,
    /// The user's id.
    pub user_id: String,
    /// When it was signed, in milliseconds since 1970.
    pub signed_at: u64,
}

impl TenantCookie {
    /// The cookie's name.
    pub const NAME: &'static str = "tenant_sig";

    /// When it ends, in milliseconds since 1970.
    pub fn expires_at(&self) -> u64 {
        self.signed_at.saturating_add(VALID)
    }

    /// Takes a value apart, with its signature; `None` where it is no tenant cookie.
    pub(crate) fn parse(text: &str) -> Option<(Self, String)> {
        let text = text.trim();
        let text = text.strip_prefix("tenant_sig=").unwrap_or(text);
        // Next.js writes it URL-encoded.
        let text = &decode_uri(text)?;
        let (payload, signature) = text.rsplit_once('.')?;
        let mut fields = payload.split(':');
        let (tenant, user, signed_at) = (fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() || signature.len() != 64 {
            return None;
        }
        let signed_at = signed_at.parse().ok()?;
        let cookie = Self { tenant_id: tenant.to_owned(), user_id: user.to_owned(), signed_at };
        Some((cookie, signature.to_owned()))
    }

    /// Whether this secret made the signature.
    pub(crate) fn is_signed(&self, signature: &str, secret: &Secret) -> bool {
        hex::decode(signature).is_ok_and(|bytes| self.signature(secret).verify_slice(&bytes).is_ok())
    }

    /// Why it does not count.
    pub(crate) fn problems(&self, signature: &str, secret: &Secret, now: Duration) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.is_signed(signature, secret) {
            problems.push(Problem::WrongSignature);
        }
        if u128::from(self.expires_at()) <= now.as_millis() {
            problems.push(Problem::Expired { at: self.expires_at() / 1000 });
        }
        problems
    }

    /// The tenant cookies in a header, as the places of the application have them.
    pub(crate) fn beside(header: &str, secret: &Secret, now: Duration) -> Vec<(Self, Vec<Problem>)> {
        let mut found: Vec<(Self, Vec<Problem>)> = Vec::new();
        for place in Place::ALL {
            for (_, value) in place.cookies(header).into_iter().filter(|(name, _)| name == Self::NAME) {
                let Some((cookie, signature)) = Self::parse(&value) else { continue };
                let problems = cookie.problems(&signature, secret, now);
                let known = (cookie, problems);
                if !found.contains(&known) {
                    found.push(known);
                }
            }
        }
        found
    }

    fn payload(&self) -> String {
        format!("{}:{}:{}", self.tenant_id, self.user_id, self.signed_at)
    }

    fn signature(&self, secret: &Secret) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.first()).expect("HMAC takes keys of any size");
        mac.update(self.payload().as_bytes());
        mac
    }
}

/// Signs which tenant a user works in from `now`, in milliseconds since 1970, on: the cookie's value.
///
/// # Errors
/// [`Error::Claims`] for an id with a colon, which would be read as another one.
pub fn tenant_cookie(tenant_id: &str, user_id: &str, secret: &Secret, now: u64) -> Result<(TenantCookie, String)> {
    if let Some(id) = [tenant_id, user_id].into_iter().find(|id| id.contains([':', ';', ' ']) || id.is_empty()) {
        return Err(Error::Claims { why: format!("the id `{id}` cannot stand in the cookie {}", TenantCookie::NAME) });
    }
    let cookie = TenantCookie { tenant_id: tenant_id.to_owned(), user_id: user_id.to_owned(), signed_at: now };
    let signature = hex::encode(cookie.signature(secret).finalize().into_bytes());
    let value = format!("{}.{signature}", cookie.payload());
    Ok((cookie, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_openssl_computes() {
        // printf 't_a:u_1:1700000000000' | openssl dgst -sha256 -hmac secret
        let secret = Secret::new("secret").unwrap();
        let (cookie, value) = tenant_cookie("t_a", "u_1", &secret, 1_700_000_000_000).unwrap();
        assert_eq!(value, format!("t_a:u_1:1700000000000.{OPENSSL}"));
        let (read, signature) = TenantCookie::parse(&value).unwrap();
        assert_eq!(read, cookie);
        assert!(read.is_signed(&signature, &secret));
        assert!(!read.is_signed(&signature, &Secret::new("other").unwrap()));
    }

    #[test]
    fn an_id_that_would_be_read_as_another_is_refused() {
        let secret = Secret::new("secret").unwrap();
        assert!(tenant_cookie("a:b", "u", &secret, 0).is_err());
        assert!(tenant_cookie("a", "", &secret, 0).is_err());
    }

    const OPENSSL: &str = "b10c4c10929fc9a44ce98fc9fa4d4f695918af3910f4672d5f02924685e9c2f0";
}
