//! The URL of a database, as Prisma, Neon, Netlify and libpq write it, in a type that never shows its secrets.

mod error;
mod parse;
mod tls;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::environment;

pub use error::UrlError;
pub use tls::Tls;

/// What sessions call themselves that nobody named.
const APPLICATION: &str = "rowfence";

/// The URL of one database on one server, with the role to log in as.
///
/// `Display` and `Debug` show `postgresql://user:****@host:port/database`: no password, and no query parameter, as those
/// may hold one too. [`expose`](Self::expose) is the one way to the full text.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    host: Host,
    port: u16,
    user: String,
    password: Option<String>,
    database: String,
    /// The query parameters that are not one of the fields above, as given.
    parameters: Vec<(String, String)>,
    /// The fields above as one URL.
    text: String,
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// A name or an address; IPv6 without brackets.
    Tcp(String),
    /// The directory of a Unix-domain socket.
    Socket(String),
}

impl DatabaseUrl {
    /// Reads `postgresql://`, `postgres://` or `neon://`, with the parameters of Prisma, Neon and libpq.
    ///
    /// # Errors
    /// [`UrlError`]; no variant and no message of it holds a part of `text`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        parse::parse(text)
    }

    /// The whole URL with its password, always in the scheme `postgresql`.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The password, for the environment of a program: in a list of processes every user reads arguments.
    pub fn expose_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The server's name or address (IPv6 without brackets), or the directory of its Unix-domain socket.
    pub fn host(&self) -> &str {
        match &self.host {
            Host::Tcp(host) => host,
            Host::Socket(directory) => directory,
        }
    }

    /// The server's port; 5432 where the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The role to log in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The value of Prisma's parameter `schema`.
    pub fn schema(&self) -> Option<&str> {
        self.parameter("schema")
    }

    /// How long to wait for a connection (`connect_timeout`, in seconds); none where the URL does not say or says 0.
    pub fn connect_timeout(&self) -> Option<Duration> {
        let seconds = self.parameter("connect_timeout")?.parse().ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Names of the query parameters that mean nothing here, so that a misspelt one can be found.
    pub fn ignored_parameters(&self) -> Vec<&str> {
        // What follows a `&` may be the rest of a password: that seldom is all letters, and then has no value.
        let name_like = |name: &str| name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let unknown = self.parameters.iter().filter(|(name, _)| !parse::is_known(name));
        let shown = |name, value: &str| if name_like(name) && !value.is_empty() { name } else { "(no plain name)" };
        unknown.map(|(name, value)| shown(name.as_str(), value)).collect()
    }

    /// The same server, role and parameters with another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }.rewritten()
    }

    /// The same database by another port of its host, such as a tunnel's or a pooler's.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Self { port, ..self.clone() }.rewritten()
    }

    /// The same server, database and parameters with another role.
    #[must_use]
    pub fn with_user(&self, user: &str, password: Option<&str>) -> Self {
        Self { user: user.to_owned(), password: password.map(str::to_owned), ..self.clone() }.rewritten()
    }

    /// Whether the server runs on this machine, or a tunnel to it begins here: a loopback address or a Unix socket.
    ///
    /// It says nothing about whose data that is.
    pub fn is_loopback(&self) -> bool {
        let Host::Tcp(host) = &self.host else { return true };
        match host.parse::<std::net::IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }

    /// Why a transaction pooler may stand between, as far as the URL tells.
    pub fn pooler_hint(&self) -> Option<&'static str> {
        if self.parameter("pgbouncer") == Some("true") {
            return Some("the URL says pgbouncer=true");
        }
        let Host::Tcp(host) = &self.host else { return None };
        if host.contains("-pooler.") {
            return Some("the host's name holds `-pooler.`, as Neon's pooled ones do");
        }
        match self.port {
            6543 => Some("6543 is the port of Supabase's transaction pooler"),
            6432 => Some("6432 is the port of PgBouncer"),
            _ => None,
        }
    }

    /// How the connection is encrypted. On a loopback address the URL's `sslmode` decides; anywhere else the
    /// certificate is verified, whatever Prisma's or libpq's laxer defaults are, unless `tls_no_verify`.
    ///
    /// # Errors
    /// [`UrlError::PlainText`] where the URL asks for no encryption to another machine.
    pub fn tls(&self, tls_no_verify: bool) -> Result<Tls, UrlError> {
        tls::choose(self, tls_no_verify)
    }

    /// What sqlx connects with, field by field: sqlx itself logs the values of parameters that it does not know.
    ///
    /// sqlx fills what the URL leaves open from `PGPASSWORD` and its kind, so every field is set here, and where one cannot be
    /// emptied that is refused. Do not print the result: its `Debug` shows the password.
    ///
    /// # Errors
    /// As [`tls`](Self::tls), and [`UrlError::Environment`].
    pub(crate) fn connect_options(&self, tls_no_verify: bool) -> Result<PgConnectOptions, UrlError> {
        if let Some(variable) = environment::beyond_the_url() {
            return Err(UrlError::Environment(variable));
        }
        let mut options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .password(self.password.as_deref().unwrap_or_default())
            .application_name(self.parameter("application_name").unwrap_or(APPLICATION))
            // Its default is precise since 12, and PgBouncer refuses startup parameters that it does not know.
            .extra_float_digits(None);
        let settings = parse::settings_in(self.parameter("options").unwrap_or_default());
        // PgBouncer refuses the parameter, also an empty one.
        if !settings.is_empty() {
            options = options.options(settings);
        }
        options = match &self.host {
            Host::Tcp(host) => options.host(host),
            // The host is set too, for PGHOST must not leak into it.
            Host::Socket(directory) => options.host("localhost").socket(directory),
        };
        let cache_off = self.parameter("statement_cache_size") == Some("0");
        if cache_off || self.pooler_hint().is_some() {
            options = options.statement_cache_capacity(0);
        }
        tls::apply(self, self.tls(tls_no_verify)?, options)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        // The last one counts, as in libpq.
        self.parameters.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `text` written anew from the fields, so that every reader of URLs takes them back the same.
    fn rewritten(mut self) -> Self {
        let encode = |part: &str| -> String {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            part.bytes()
                .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
                .collect()
        };
        let password = self.password.as_deref().map(|password| format!(":{}", encode(password))).unwrap_or_default();
        let (host, socket) = match &self.host {
            Host::Tcp(host) if host.contains(':') => (format!("[{host}]"), None),
            Host::Tcp(host) => (encode(host), None),
            Host::Socket(directory) => ("localhost".to_owned(), Some(("host", directory.as_str()))),
        };
        let others = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = socket.into_iter().chain(others).map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        let (user, port, database) = (encode(&self.user), self.port, encode(&self.database));
        self.text = format!("postgresql://{user}{password}@{host}:{port}/{database}{mark}{query}");
        self
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = if self.password.is_some() { ":****" } else { "" };
        write!(f, "postgresql://{}{password}@", self.user)?;
        match &self.host {
            Host::Tcp(host) if host.contains(':') => write!(f, "[{host}]:{}/{}", self.port, self.database),
            Host::Tcp(host) => write!(f, "{host}:{}/{}", self.port, self.database),
            Host::Socket(directory) => write!(f, "{directory}:{}/{}", self.port, self.database),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}
