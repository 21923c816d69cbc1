//! The URL of a database, as Prisma, Neon, Netlify and libpq write it. Its `Display` and `Debug` leave the password
//! out, so that no message can print it.

use std::fmt;
use std::time::Duration;

/// The URL of one database on one server, with the role to log in as.
///
/// `Display` and `Debug` show `postgresql://user:****@host:port/database`: no password and no query parameters, because
/// these may hold a secret too. Only [`expose`](Self::expose) returns the full text.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) database: String,
    /// The query parameters that are not one of the fields above, as they were given.
    pub(super) parameters: Vec<(String, String)>,
    /// The fields above as one URL.
    pub(super) text: String,
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// A name or an address; IPv6 without brackets.
    Tcp(String),
    /// The directory of a Unix-domain socket.
    Socket(String),
}

impl DatabaseUrl {
    /// The whole URL with its password, always in the scheme `postgresql`.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The password, for the environment of a program: arguments can be read by every user in the list of processes.
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

    /// The server's port; 5432 if the URL names none.
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

    /// The server and the database there, whoever logs in. Two URLs with other places may still lead to one database, such
    /// as through a pooler.
    pub fn place(&self) -> (&str, u16, &str) {
        (self.host(), self.port, &self.database)
    }

    /// The value of Prisma's parameter `schema`.
    pub fn schema(&self) -> Option<&str> {
        self.parameter("schema")
    }

    /// How long to wait for a connection (`connect_timeout`, in seconds); `None` if the URL does not say or says 0.
    pub fn connect_timeout(&self) -> Option<Duration> {
        let seconds = self.parameter("connect_timeout")?.parse().ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// The same server, role and parameters, with another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }.rewritten()
    }

    /// The same database by another port of its host, such as that of a tunnel or a pooler.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Self { port, ..self.clone() }.rewritten()
    }

    /// The same server, database and parameters, with another role.
    #[must_use]
    pub fn with_user(&self, user: &str, password: Option<&str>) -> Self {
        Self { user: user.to_owned(), password: password.map(str::to_owned), ..self.clone() }.rewritten()
    }

    /// Whether the address is a loopback address or a Unix socket: the server runs on this machine, or a tunnel to it
    /// begins here.
    ///
    /// This says nothing about whose data it is.
    pub fn is_loopback(&self) -> bool {
        let Host::Tcp(host) = &self.host else { return true };
        match host.parse::<std::net::IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }

    /// Why there may be a transaction pooler, as far as the URL shows it. `tenant-rls` asks the server too.
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

    /// The directory of the server's Unix-domain socket, if the URL names one instead of a host.
    pub fn socket(&self) -> Option<&str> {
        match &self.host {
            Host::Tcp(_) => None,
            Host::Socket(directory) => Some(directory),
        }
    }

    /// The value of a query parameter, percent-decoded. It may hold a secret.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        // The last one counts, as in libpq.
        self.parameters.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Writes `text` again from the fields, so that every parser of URLs reads the same fields from it.
    pub(super) fn rewritten(mut self) -> Self {
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
