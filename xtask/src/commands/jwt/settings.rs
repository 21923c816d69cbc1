//! The options that the commands of `jwt` share: the user, and the application's address, library and secret.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use dev_jwt::{Library, Lookup, LookupScope, Naming, Person, SHORT, Secret};
use tenancy_config::{SettingOrigin, Settings};
use url::Url;

use crate::context::command_error::{CommandError, OrFailed};
use crate::context::failure::CommandFailure;
use crate::context::{Context, stop, tenant_choice};
use crate::terminal::printer::Printer;

/// The application's address if none is set: that of `next dev`.
const LOCALHOST: &str = "http://localhost:3000";

/// Whose session.
#[derive(Debug, Clone, Args)]
pub(super) struct Who {
    /// The user's email, exactly [default: EMAIL]
    #[arg(long, value_name = "EMAIL")]
    email: Option<String>,
    /// The active tenant, by slug or id [default: TENANT_ID, then TENANT_SLUG, else the user's default, else the oldest membership]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Take a tenant that is out of use, too
    #[arg(long)]
    include_inactive: bool,
}

/// How the application is set up.
#[derive(Debug, Clone, Args)]
pub(super) struct Application {
    /// The file with the secret, or `-` for standard input [default: NEXTAUTH_SECRET, AUTH_SECRET]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The session cookie's name, if the application has one of its own
    #[arg(long, value_name = "NAME", value_parser = cookie_name)]
    cookie: Option<String>,
    /// The salt of the keys [default: that of the library: none, or with Auth.js the cookie's name]
    #[arg(long, value_name = "TEXT")]
    salt: Option<String>,
    /// The application's address: https chooses the secure cookie's name [default: NEXTAUTH_URL, else http://localhost:3000]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// The value of `--for`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum For {
    #[value(name = "next-auth")]
    NextAuth,
    #[value(name = "auth.js")]
    AuthJs,
}

impl From<For> for Library {
    fn from(library: For) -> Self {
        match library {
            For::NextAuth => Self::NextAuth,
            For::AuthJs => Self::AuthJs,
        }
    }
}

/// The name of a cookie (RFC 6265, section 4.1.1).
fn cookie_name(text: &str) -> Result<String, String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(letter) {
        return Err("no cookie can have this name".to_owned());
    }
    Ok(text.to_owned())
}

/// The time since 1970.
pub(super) fn now() -> Result<Duration, CommandFailure> {
    SystemTime::now().duration_since(UNIX_EPOCH).or_failed("the clock stands before 1970")
}

/// Refuses to mint a session in production.
///
/// # Errors
/// NODE_ENV is `production`.
pub(super) fn refuse_production(settings: &Settings) -> Result<(), CommandFailure> {
    match settings.env("NODE_ENV") {
        Some((value, origin)) if value.trim() == "production" => Err(CommandError::refused(
            format!("`production` is the environment ({origin}): no development session is minted there"),
            "run it where the application is developed or tested, with another NODE_ENV or none",
        )),
        _ => Ok(()),
    }
}

/// The first of these variables that is set, even if it is empty. The libraries read them the same way.
fn first_set(settings: &Settings, names: &[&str]) -> Option<(String, SettingOrigin)> {
    names.iter().find_map(|name| settings.env(name))
}

impl Application {
    /// The secret, from the variables that the library reads, in its order.
    ///
    /// # Errors
    /// There is none, or it is empty.
    pub(super) fn secret(
        &self,
        printer: &Printer,
        settings: &Settings,
        library: Library,
    ) -> Result<Secret, CommandFailure> {
        let (text, from, earlier) = match (&self.secret_file, library) {
            (Some(path), _) => (read_secret(path)?, path.display().to_string(), Vec::new()),
            (None, Library::NextAuth) => {
                let found = first_set(settings, &["NEXTAUTH_SECRET", "AUTH_SECRET"]);
                let (text, origin) = found.ok_or_else(no_secret)?;
                (text, origin.to_string(), Vec::new())
            }
            (None, Library::AuthJs) => rotated(printer, settings)?,
        };
        let secret = Secret::new(text)
            .map_err(|error| CommandFailure::from(error).context(format!("the secret (from {from}) cannot be used")))?
            .with_earlier(earlier);
        if secret.len() < SHORT {
            let bytes = secret.len();
            printer.warning(&format!(
                "the secret (from {from}) has {bytes} bytes and can be guessed; 32 random ones: openssl rand -base64 32"
            ));
        }
        Ok(secret)
    }

    /// What the application calls its cookie, and salts its keys with.
    pub(super) fn naming(&self) -> Naming {
        Naming { cookie: self.cookie.clone(), salt: self.salt.clone() }
    }

    /// Whether the cookie's name is that of https: what the address says, or a name of the application's own; without either, NextAuth
    /// takes https on Vercel. `None` if nothing says so.
    ///
    /// # Errors
    /// What is given is no address of a web server.
    pub(super) fn secure(
        &self,
        printer: &Printer,
        settings: &Settings,
        library: Library,
    ) -> Result<Option<bool>, CommandFailure> {
        if let Some(url) = self.given_url(settings, library)? {
            return Ok(Some(url.scheme() == "https"));
        }
        let set = |name: &str| settings.env(name).filter(|(value, _)| !value.is_empty());
        if library == Library::NextAuth
            && settings.env("NEXTAUTH_URL").is_none()
            && let Some((_, origin)) = set("VERCEL")
        {
            printer.note(&format!("https, as NEXTAUTH_URL is not set and VERCEL is ({origin}): so `getToken` decides"));
            return Ok(Some(true));
        }
        if let Some((_, origin)) = set("AUTH_TRUST_HOST") {
            printer.note(&format!(
                "AUTH_TRUST_HOST ({origin}) lets each request say whether it came by https; --url says it here"
            ));
        }
        Ok(None)
    }

    /// Whether the secret is read from standard input.
    pub(super) fn secret_comes_from_stdin(&self) -> bool {
        self.secret_file.as_deref() == Some(Path::new("-"))
    }

    /// The application's address; `None` if none is set.
    ///
    /// # Errors
    /// It is no address of a web server.
    pub(super) fn given_url(&self, settings: &Settings, library: Library) -> Result<Option<Url>, CommandFailure> {
        let names: &[&str] = match library {
            Library::NextAuth => &["NEXTAUTH_URL"],
            Library::AuthJs => &["AUTH_URL", "NEXTAUTH_URL"],
        };
        let given = match &self.url {
            Some(text) => Some((text.clone(), SettingOrigin::Flag("--url"))),
            None => first_set(settings, names).filter(|(text, _)| !text.trim().is_empty()),
        };
        given.map(|(text, origin)| parse_url(&text, &origin)).transpose()
    }

    /// The application's address, or else that of `next dev`.
    ///
    /// # Errors
    /// What is given is no address of a web server.
    pub(super) fn url(&self, settings: &Settings, library: Library) -> Result<Url, CommandFailure> {
        let given = self.given_url(settings, library)?;
        Ok(given.unwrap_or_else(|| LOCALHOST.parse().expect("a constant that a test reads")))
    }
}

/// The secrets of Auth.js: it reads AUTH_SECRET_3, _2, _1 and AUTH_SECRET, passes over empty ones, signs with the first and accepts all.
fn rotated(printer: &Printer, settings: &Settings) -> Result<(String, String, Vec<String>), CommandFailure> {
    let names = ["AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET"];
    let mut set = names.iter().filter_map(|name| settings.env(name)).filter(|(text, _)| !text.is_empty());
    let Some((text, origin)) = set.next() else {
        let (text, origin) = first_set(settings, &["AUTH_SECRET", "NEXTAUTH_SECRET"]).ok_or_else(no_secret)?;
        return Ok((text, origin.to_string(), Vec::new()));
    };
    let earlier: Vec<String> = set.map(|(text, _)| text).collect();
    let numbered = names[..3].iter().any(|name| settings.env(name).is_some_and(|(text, _)| !text.is_empty()));
    let single = ["AUTH_SECRET", "NEXTAUTH_SECRET"].into_iter().find(|name| settings.env(name).is_some());
    if let (true, Some(single)) = (numbered, single) {
        printer.note(&format!(
            "secrets rotate, and {origin} signs; `next-auth` 5 reads {single} alone where that is set: --secret-file then"
        ));
    }
    Ok((text, origin.to_string(), earlier))
}

fn parse_url(text: &str, origin: &SettingOrigin) -> Result<Url, CommandFailure> {
    let url = Url::parse(text.trim()).ok();
    let usable = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    // The text is not shown: an address may hold a password.
    usable.ok_or_else(|| {
        CommandError::usage(
            format!("the application's address (from {origin}) is not one of a web server"),
            "it looks like https://app.example.com or http://localhost:3000",
        )
    })
}

/// The content of a file without the line break at its end, which editors add.
fn read_secret(path: &Path) -> Result<String, CommandFailure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| {
        CommandError::usage(
            format!("cannot read the secret from {}: {error}", path.display()),
            "it is a file of text, with nothing else in it",
        )
    })?;
    Ok(text.strip_suffix("\r\n").or(text.strip_suffix('\n')).unwrap_or(&text).to_owned())
}

fn no_secret() -> CommandFailure {
    CommandError::refused(
        "there is no secret: neither NEXTAUTH_SECRET nor AUTH_SECRET is set, and no --secret-file is given",
        "the application's .env files have it: run this in the application's folder, or name that with --app-dir",
    )
}

impl Who {
    /// Finds the user in the database, once the database has been confirmed.
    ///
    /// # Errors
    /// No user is named, there is no such user, or nobody confirmed.
    pub(super) async fn find(&self, context: &Context, settings: &Settings) -> Result<Person, CommandFailure> {
        let lookup = self.lookup(context, settings)?;
        let (person, seen) = stop::at_once(async {
            let connected = context.connect(settings).await?;
            context.before_minting(&connected, &format!("the session of {}", lookup.email)).await?;
            let person = dev_jwt::find(&connected.database, settings.tenancy(), &lookup, &mut context.notes()).await;
            connected.database.close().await;
            Ok(person?)
        })
        .await?;
        tell_what_was_not_seen(context, &seen);
        Ok(person)
    }

    fn lookup(&self, context: &Context, settings: &Settings) -> Result<Lookup, CommandFailure> {
        let email = match &self.email {
            Some(email) => email.clone(),
            None => {
                let (email, origin) =
                    settings.env("EMAIL").filter(|(email, _)| !email.trim().is_empty()).ok_or_else(|| {
                        CommandError::usage(
                            "whose session? no email is given",
                            "--email staff@example.com, or the variable EMAIL",
                        )
                    })?;
                context.printer.line(&format!("email {email} (from {origin})"));
                email
            }
        };
        let tenant =
            tenant_choice::choose(&context.printer, settings, self.tenant.clone(), &["TENANT_ID", "TENANT_SLUG"]);
        let on = |name: &str| settings.env(name).is_some_and(|(value, _)| value.trim() == "true");
        let strict = on("MULTI_TENANCY_ENABLED") && on("MULTI_TENANCY_STRICT");
        Ok(Lookup { tenant, strict, include_inactive: self.include_inactive, ..Lookup::of(email.trim()) })
    }
}

fn tell_what_was_not_seen(context: &Context, seen: &LookupScope) {
    if seen.more {
        let asked = seen.scopes;
        context.printer.warning(&format!(
            "only {asked} tenants were asked, and there are more: the session may lack some of the user's tenants"
        ));
    }
    if !seen.ghosts.is_empty() {
        let ghosts = seen.ghosts.join(", ");
        context.printer.warning(&format!("memberships in tenants that do not exist were left out: {ghosts}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_next_dev_is_one() {
        assert_eq!(parse_url(LOCALHOST, &SettingOrigin::Flag("--url")).unwrap().host_str(), Some("localhost"));
    }
}
