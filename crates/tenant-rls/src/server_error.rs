//! The error of a server or the network in full (message, detail and SQLSTATE), and which kind of trouble it is.

use std::fmt;
use tenancy_config::{CommandRef, Hint};

use sqlx::postgres::PgDatabaseError;

/// The server, a database or a role has no connection left.
pub(crate) const TOO_MANY_CONNECTIONS: &str = "53300";

/// An error of the driver. Its text has everything that the server said.
#[derive(Debug)]
pub struct ServerError(sqlx::Error);

/// How to react to a failed statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Others were in the way: a lock timeout, a deadlock or a serialization failure. The same statement may succeed
    /// later.
    Contention,
    /// The connection is lost. What was not committed is rolled back.
    Connection,
    /// The rows themselves are the reason: a constraint, a trigger or a value.
    Data,
    /// Any other reason, such as rights, syntax or resources.
    Other,
}

impl From<sqlx::Error> for ServerError {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl std::error::Error for ServerError {}

impl ServerError {
    /// Whether the server, the database or the role has no connection left.
    pub(crate) fn is_too_many(error: &sqlx::Error) -> bool {
        error.as_database_error().and_then(|error| error.code()).as_deref() == Some(TOO_MANY_CONNECTIONS)
    }

    /// The SQLSTATE, if the error is from a server.
    pub fn sqlstate(&self) -> Option<&str> {
        self.server().map(PgDatabaseError::code)
    }

    /// How to react to it.
    pub fn fault(&self) -> Fault {
        let Some(code) = self.sqlstate() else {
            return match self.0 {
                sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut => Fault::Connection,
                _ => Fault::Other,
            };
        };
        match code {
            "55P03" | "40P01" | "40001" => Fault::Contention,
            // 57P01 to 57P03: the server stops, restarts or has not started yet.
            "57P01" | "57P02" | "57P03" => Fault::Connection,
            _ => match &code[..2] {
                "08" => Fault::Connection,
                // Data exception, integrity constraint, trigger or function exception, RAISE in PL/pgSQL, WITH CHECK.
                "22" | "23" | "09" | "38" | "39" | "P0" | "44" => Fault::Data,
                _ => Fault::Other,
            },
        }
    }

    pub(crate) fn hint(&self) -> Option<Hint> {
        // The server's hint about a full disk does not say whether something is half written.
        let theirs = self.server().filter(|error| error.code() != "53100").and_then(PgDatabaseError::hint);
        if let Some(hint) = theirs {
            return Some(hint.into());
        }
        let text = match (self.sqlstate(), &self.0) {
            (Some("28P01"), _) => "the password is wrong, or this role has none; check the URL",
            (Some("28000"), _) => "this role may not log in here; check the URL and pg_hba.conf",
            (Some("3D000"), _) => "that database does not exist; check the end of the URL",
            (Some(TOO_MANY_CONNECTIONS), _) => {
                "the server has no connection left; close some, or connect through a pooler"
            }
            (Some("53100"), _) => "the server's disk is full; nothing of this transaction was kept",
            (Some("42501"), _) => {
                let doctor = Hint::from("a right is missing; ").then_quoted(CommandRef::Doctor);
                return Some(doctor.then(" shows what this role may do"));
            }
            (Some("25006"), _) => {
                "this is a standby, or default_transaction_read_only is on for this login or database: use the primary, or ALTER ROLE … SET \
                 default_transaction_read_only = off"
            }
            (Some("55P03"), _) => "somebody holds a lock on it; run it again later, or give a longer lock timeout",
            (None, sqlx::Error::Io(_)) => "is the server running, and does this address reach it?",
            (None, sqlx::Error::Tls(_)) => {
                "the certificate was not accepted; sslrootcert=FILE in the URL names its authority"
            }
            (None, sqlx::Error::PoolTimedOut) => "the server gave no connection in time",
            _ => return None,
        };
        Some(text.into())
    }

    fn server(&self) -> Option<&PgDatabaseError> {
        self.0.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(server) = self.server() else {
            return match &self.0 {
                sqlx::Error::Io(error) => write!(f, "{error}"),
                error => write!(f, "{error}"),
            };
        };
        write!(f, "{}", server.message())?;
        if let Some(detail) = server.detail() {
            write!(f, " ({})", detail.trim_end_matches('.'))?;
        }
        write!(f, " [SQLSTATE {}]", server.code())
    }
}
