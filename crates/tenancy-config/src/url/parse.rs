//! Parses text into the fields of a [`DatabaseUrl`].

use ::url::{Host as UrlHost, Url};

use super::database_url::{DatabaseUrl, Host};
use super::error::UrlError;
use super::tls;
use crate::name::Ident;

/// Parameters that mean something here, or that Prisma, Neon or libpq use and we can ignore.
const KNOWN: [&str; 23] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "connection_limit",
    "max_idle_connection_lifetime",
    "options",
    "pgbouncer",
    "pool_timeout",
    "schema",
    "single_use_connections",
    "socket_timeout",
    "sslaccept",
    "sslcert",
    "sslidentity",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "statement_cache_size",
    "supa",
    "target_session_attrs",
];

/// Schemes that people put into `DATABASE_URL` and that are safe to name in a message.
const OTHER_SCHEMES: [&str; 10] =
    ["prisma", "prisma+postgres", "mysql", "mariadb", "sqlite", "file", "sqlserver", "mongodb", "mongodb+srv", "jdbc"];

impl DatabaseUrl {
    /// Reads `postgresql://`, `postgres://` or `neon://`, with the parameters of Prisma, Neon and libpq.
    ///
    /// # Errors
    /// [`UrlError`]: the text is not a URL that we can use. Neither the error nor its message contains a part of
    /// `text`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        parse(text)
    }

    /// Names of the query parameters that mean nothing here, so that a misspelt one can be found.
    pub fn ignored_parameters(&self) -> Vec<&str> {
        // What follows a `&` may be the rest of a password. Such a rest seldom consists of letters only, and then it
        // has no value.
        let name_like = |name: &str| name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let unknown = self.parameters.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
        let shown = |name, value: &str| if name_like(name) && !value.is_empty() { name } else { "(no plain name)" };
        unknown.map(|(name, value)| shown(name.as_str(), value)).collect()
    }

    /// The server settings that the parameter `options` asks for, as names and values.
    pub fn server_settings(&self) -> Vec<(String, String)> {
        settings_in(self.parameter("options").unwrap_or_default())
    }
}

fn parse(text: &str) -> Result<DatabaseUrl, UrlError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(UrlError::Empty);
    }
    let (scheme, rest) = text.split_once(':').ok_or(UrlError::Malformed("it has no scheme"))?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "postgresql" | "postgres" | "neon") {
        let other = OTHER_SCHEMES.into_iter().find(|&known| known == scheme);
        return Err(other.map_or(UrlError::UnknownScheme, UrlError::Scheme));
    }
    if !rest.starts_with("//") {
        return Err(UrlError::Malformed("`//` is missing after the scheme"));
    }
    let (authority, path) = rest[2..].split_at(rest[2..].find(['/', '?', '#']).unwrap_or(rest.len() - 2));
    // After a role the parser requires a host. libpq and Cloud SQL leave it out if a parameter names the socket.
    let hostless = authority.ends_with('@');
    let host = if hostless { "placeholder" } else { "" };
    let url = Url::parse(&format!("postgresql://{authority}{host}{path}")).map_err(|e| malformed(e, rest))?;
    fields(&url, if hostless { None } else { host_of(&url)? })
}

/// The reason that the parser gives. None of its reasons quotes the text.
fn malformed(error: ::url::ParseError, rest: &str) -> UrlError {
    use ::url::ParseError as E;
    match error {
        // In `//user:pa/ss@host/db`, the text before the slash is read as host and port.
        E::InvalidPort if rest.contains('@') => UrlError::Unescaped,
        E::InvalidPort => UrlError::Malformed("the port is not a number up to 65535"),
        E::EmptyHost => UrlError::Missing("host"),
        _ => UrlError::Malformed("its host is not a name or an address"),
    }
}

fn fields(url: &Url, mut host: Option<Host>) -> Result<DatabaseUrl, UrlError> {
    let path = url.path().strip_prefix('/').unwrap_or_default();
    // Each of these is legal, but nearly always the rest of a password. Read as a name, it would be shown.
    if url.fragment().is_some() || path.contains(['/', '@']) || url.query().is_some_and(|query| query.contains('@')) {
        return Err(UrlError::Unescaped);
    }
    let mut user = decode(url.username(), "role")?;
    let mut password = url.password().map(|p| decode(p, "password")).transpose()?;
    let mut database = decode(path, "database")?;
    let mut port = url.port().unwrap_or(5432);
    let mut parameters = Vec::new();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "host" if value.starts_with('/') => host = Some(Host::Socket(value.into_owned())),
            "host" if !value.is_empty() => host = Some(tcp_host(&value)?),
            "port" => {
                port =
                    value.parse().map_err(|_| UrlError::Parameter { name: "port", takes: "a number up to 65535" })?;
            }
            "user" => user = value.into_owned(),
            // An empty password is none, as in libpq.
            "password" => password = Some(value.into_owned()).filter(|value| !value.is_empty()),
            "dbname" => database = value.into_owned(),
            _ => parameters.push((name.into_owned(), value.into_owned())),
        }
    }
    if [&user, &database].into_iter().chain(password.as_ref()).any(|part| part.contains('\0')) {
        return Err(UrlError::Malformed("it holds a NUL character"));
    }
    // The role is checked first: if it is missing, the supposed host may be a role, and the supposed database a
    // password.
    if user.is_empty() {
        return Err(UrlError::Missing("role"));
    }
    let host = host.ok_or(UrlError::Missing("host"))?;
    if matches!(database.as_str(), "" | "." | "..") {
        return Err(UrlError::Missing("database"));
    }
    let url = DatabaseUrl { host, port, user, password, database, parameters, text: String::new() }.rewritten();
    check_parameters(&url)?;
    Ok(url)
}

fn check_parameters(url: &DatabaseUrl) -> Result<(), UrlError> {
    tls::mode_in(url)?;
    for name in ["sslidentity", "sslpassword"] {
        if url.parameter(name).is_some() {
            return Err(UrlError::Unsupported(name));
        }
    }
    if url.schema().is_some_and(|schema| Ident::new(schema).is_err()) {
        return Err(UrlError::Parameter { name: "schema", takes: "the name of a schema" });
    }
    let numbers = ["connect_timeout", "statement_cache_size"];
    match numbers.into_iter().find(|name| url.parameter(name).is_some_and(|value| value.parse::<u32>().is_err())) {
        Some(name) => Err(UrlError::Parameter { name, takes: "a whole number" }),
        None => Ok(()),
    }
}

fn host_of(url: &Url) -> Result<Option<Host>, UrlError> {
    match url.host() {
        None => Ok(None),
        Some(UrlHost::Ipv4(address)) => Ok(Some(Host::Tcp(address.to_string()))),
        Some(UrlHost::Ipv6(address)) => Ok(Some(Host::Tcp(address.to_string()))),
        Some(UrlHost::Domain("")) => Ok(None),
        Some(UrlHost::Domain(name)) => {
            let name = decode(name, "host")?;
            if name.starts_with('/') { Ok(Some(Host::Socket(name))) } else { tcp_host(&name).map(Some) }
        }
    }
}

fn tcp_host(name: &str) -> Result<Host, UrlError> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<std::net::Ipv6Addr>() {
        return Ok(Host::Tcp(address.to_string()));
    }
    // Letters of any script, because a resolver may know them; but nothing that has a meaning in a URL.
    if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        return Err(UrlError::Malformed("its host is not a name or an address"));
    }
    Ok(Host::Tcp(name.to_lowercase()))
}

fn decode(part: &str, what: &'static str) -> Result<String, UrlError> {
    let wrong = UrlError::Parameter { name: what, takes: "UTF-8 text, percent-encoded" };
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        // A `%` that begins no escape is read as itself, as browsers do.
        let escape = after.first_chunk::<2>().filter(|hex| byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let decoded = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match decoded {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong)
}

/// The settings in libpq's `options`: `-c name=value`, `-cname=value` and `--name=value`.
///
/// Neon's `endpoint=…` is left out: it replaces the server name of the TLS handshake, which rustls sends.
pub(super) fn settings_in(options: &str) -> Vec<(String, String)> {
    let mut words = words(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") if word == "-c" => words.next(),
            Some(rest) => Some(rest.to_owned()),
            None => None,
        };
        if let Some((name, value)) = setting.as_deref().and_then(|setting| setting.split_once('=')) {
            settings.push((name.to_owned(), value.to_owned()));
        }
    }
    settings
}

/// Splits a text at blanks. A backslash takes the next character as it is.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let Some(word) = words.last_mut() else { break };
        match c {
            '\\' => word.extend(characters.next()),
            c if c.is_whitespace() => words.push(String::new()),
            c => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
