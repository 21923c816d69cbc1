//! What can be wrong with a URL. The errors contain no part of it, because any part may be the password.

use crate::hint::Hint;
use crate::user_error::{Exit, UserError};

/// Why a text is not the URL of a database, or not one that we connect to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is set but empty. An unset secret in CI looks like this.
    #[error("the database URL is empty")]
    Empty,
    /// It is not a URL, or it ends too early.
    #[error("this is not a URL: {0}")]
    Malformed(&'static str),
    /// It is the URL of another database, or of a proxy that does not speak PostgreSQL's protocol.
    #[error("the URL begins with `{0}`, which is not a PostgreSQL server")]
    Scheme(&'static str),
    /// Its scheme is unknown. The error does not name it, because a password with a colon looks like a scheme.
    #[error("the URL does not begin with `postgresql://`")]
    UnknownScheme,
    /// It lacks the role, the host or the database.
    #[error("the database URL names no {0}")]
    Missing(&'static str),
    /// A reserved character is not escaped, most likely in the password.
    #[error("the database URL holds an unescaped `/`, `?`, `#` or `@`, most likely in its password")]
    Unescaped,
    /// The value of a parameter is not possible.
    #[error("the URL's parameter `{name}` has no usable value; it takes {takes}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The values that it accepts.
        takes: &'static str,
    },
    /// A parameter that we do not support. If we ignored it, the connection would not be the one that was asked for.
    #[error("the URL's parameter `{0}` is not supported")]
    Unsupported(&'static str),
    /// A variable of libpq that sqlx would use, and that a URL cannot express.
    #[error("the environment variable {0} is set, and would change what the URL connects to")]
    Environment(&'static str),
    /// The URL asks for no encryption to another machine.
    #[error(
        "the URL says sslmode=disable, and the server is not on this machine: passwords and data would be readable on the way"
    )]
    PlainText,
}

impl UserError for UrlError {
    fn hint(&self) -> Option<Hint> {
        let hint = match self {
            Self::Empty => "is the secret set for this environment? To use the local database, unset the variable",
            Self::Scheme("prisma" | "prisma+postgres") => {
                "Prisma's proxy does not take SQL: give the server's own URL, as `prisma migrate` uses it (DIRECT_URL)"
            }
            Self::Scheme("jdbc") => "leave out `jdbc:`",
            Self::Malformed(_) | Self::Scheme(_) | Self::UnknownScheme | Self::Missing(_) => {
                "write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
            }
            Self::Unescaped => "in a password write %40 for @, %2F for /, %3F for ?, %23 for #, %25 for %",
            Self::Parameter { .. } => return None,
            Self::Unsupported(_) => {
                "convert the client's identity to PEM files and name them in `sslcert` and `sslkey`"
            }
            Self::Environment(variable) => {
                return Some(
                    format!(
                        "unset {variable}; the URL's `options`, `sslrootcert`, `sslcert` and `sslkey` say the same"
                    )
                    .into(),
                );
            }
            Self::PlainText => "remove sslmode=disable; on a network that you trust, add --tls-no-verify",
        };
        Some(hint.into())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::PlainText => Exit::Refused,
            _ => Exit::Usage,
        }
    }
}
