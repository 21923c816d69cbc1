//! How a connection is encrypted, and whether the server must prove its identity.

use std::fmt;

use super::database_url::DatabaseUrl;
use super::error::UrlError;

/// What protects a connection in transit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tls {
    /// Nothing.
    Off,
    /// TLS if the server offers it. The certificate is not verified.
    Preferred,
    /// TLS. The certificate is not verified, so somebody in between can read along.
    Unverified,
    /// TLS with a certificate of the authority that the URL names. The host name is not compared.
    VerifyCa,
    /// TLS with a certificate that a trusted authority gave to this host.
    VerifyFull,
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "no TLS",
            Self::Preferred => "TLS if offered",
            Self::Unverified => "TLS, certificate not verified",
            Self::VerifyCa => "TLS, authority verified",
            Self::VerifyFull => "TLS, certificate verified",
        })
    }
}

impl DatabaseUrl {
    /// How the connection is encrypted. For a loopback address, the URL's `sslmode` decides. For any other address the
    /// certificate is verified, although the defaults of Prisma and libpq are laxer, unless `tls_no_verify` is set.
    ///
    /// # Errors
    /// [`UrlError::PlainText`]: the URL asks for an unencrypted connection to another machine.
    pub fn tls(&self, tls_no_verify: bool) -> Result<Tls, UrlError> {
        choose(self, tls_no_verify)
    }

    /// The file with the authorities to trust instead of the system's.
    pub fn root_certificate(&self) -> Option<&str> {
        root_certificate(self)
    }
}

/// The URL's `sslmode`, if it has one.
pub(super) fn mode_in(url: &DatabaseUrl) -> Result<Option<Tls>, UrlError> {
    let Some(mode) = url.parameter("sslmode") else { return Ok(None) };
    Ok(Some(match mode.to_ascii_lowercase().as_str() {
        "disable" => Tls::Off,
        "allow" | "prefer" => Tls::Preferred,
        "require" | "no-verify" => Tls::Unverified, // the latter is node-postgres'
        "verify-ca" => Tls::VerifyCa,
        "verify-full" => Tls::VerifyFull,
        _ => {
            let takes = "disable, allow, prefer, require, verify-ca or verify-full";
            return Err(UrlError::Parameter { name: "sslmode", takes });
        }
    }))
}

fn choose(url: &DatabaseUrl, tls_no_verify: bool) -> Result<Tls, UrlError> {
    let asked = mode_in(url)?;
    Ok(match (asked, url.is_loopback(), tls_no_verify) {
        (None, true, _) => Tls::Preferred,
        (Some(Tls::Off), false, false) => return Err(UrlError::PlainText),
        (Some(Tls::Off), _, _) => Tls::Off,
        (Some(Tls::Preferred), true, _) => Tls::Preferred,
        (Some(Tls::Unverified), true, _) | (_, _, true) => Tls::Unverified,
        // Only a private authority makes verify-ca useful; a public one signs for everybody.
        (Some(Tls::VerifyCa), _, false) if root_certificate(url).is_some() => Tls::VerifyCa,
        (_, _, false) => Tls::VerifyFull,
    })
}

/// The file with the authorities to trust instead of the system's.
fn root_certificate(url: &DatabaseUrl) -> Option<&str> {
    match url.parameter("sslrootcert") {
        Some("system") => None, // libpq's word for the system's authorities
        Some(path) => Some(path),
        // In Prisma, `sslcert` is the server's authority. In libpq, it is the client's own certificate, and needs a
        // key.
        None => url.parameter("sslcert").filter(|_| url.parameter("sslkey").is_none()),
    }
}
