//! Telling what a token says, and why the application would not accept it.

use std::io::{IsTerminal, Read as _};

use clap::Args;
use clap::builder::PossibleValuesParser;
use dev_jwt::{DecodedSession, Library, Problem, Read, ReadOptions, SessionCheck, TenantCookie};
use local_db::{LocalDb, LocalOptions};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use tenancy_config::{DatabaseChoice, Exit, Settings};

use super::settings::{Application, For, now};
use super::{shape, view};
use crate::context::command_error::CommandError;
use crate::context::failure;
use crate::context::runtime::block_on;
use crate::context::stop;
use crate::context::{CommandContext, CommandResult};
use crate::document::report::{self, Format, Report};
use crate::document::text::{self, Value};

/// The values of `--format` here.
const SHAPES: [&str; 2] = ["table", "json"];

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The token, a `Cookie:` line with all chunks, or a tenant cookie; `-` is standard input
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
    #[command(flatten)]
    application: Application,
    /// The library that the application uses [default: the token's own]
    #[arg(long = "for", value_enum, value_name = "next-auth|auth.js", hide_possible_values = true)]
    library: Option<For>,
    /// Use no database: user, membership and tenant are not looked up
    #[arg(long, conflicts_with_all = ["database_url", "direct_url", "local"])]
    offline: bool,
    // The id of the global option, which it replaces in this command.
    /// Shape of the report
    #[arg(
        id = "format",
        long,
        default_value = "table",
        value_parser = PossibleValuesParser::new(SHAPES),
        hide_possible_values = true,
        value_name = "table|json",
        help_heading = "Output options"
    )]
    shape: String,
}

/// What is told of a token.
#[derive(Serialize)]
struct Decoded {
    valid: bool,
    #[serde(flatten)]
    says: Says,
    problems: Vec<Reason>,
    /// What could not be told, and why.
    unknown: Vec<String>,
    #[serde(skip)]
    now: u64,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Says {
    Session {
        library: Option<Library>,
        cookie_name: Option<&'static str>,
        claims: Option<Map<String, Json>>,
    },
    TenantCookie {
        #[serde(flatten)]
        cookie: TenantCookie,
        expires_at: u64,
    },
}

/// A problem, for programs and for people.
#[derive(Serialize)]
struct Reason {
    #[serde(flatten)]
    problem: Problem,
    message: String,
}

pub(super) fn run(app: &CommandContext, options: Options) -> CommandResult {
    shape::check(&options.shape, &SHAPES)?;
    let settings = if options.offline { app.settings_without_database()? } else { app.settings()? };
    let token = token(&options)?;
    let library = options.library.map(Library::from);
    let secret = options.application.secret(&app.printer, &settings, library.unwrap_or_default())?;
    let url = options.application.given_url(&settings, library.unwrap_or_default())?;
    let now = now()?;
    let read = ReadOptions { library, secure: url.map(|url| url.scheme() == "https"), now };
    let (says, mut problems, unknown) = match dev_jwt::read(&token, &secret, &read) {
        Read::Tenant(cookie, problems) => {
            let expires_at = cookie.expires_at();
            (Says::TenantCookie { cookie, expires_at }, problems, Vec::new())
        }
        Read::Session(DecodedSession { library, cookie_name, claims, mut problems }) => {
            let currency = compare(app, &settings, options.offline, claims.as_ref());
            problems.extend(currency.problems);
            (Says::Session { library, cookie_name, claims }, problems, currency.unknown)
        }
    };
    problems.dedup();
    let problems: Vec<Reason> =
        problems.into_iter().map(|problem| Reason { message: problem.to_string(), problem }).collect();
    let decoded = Decoded { valid: problems.is_empty(), says, problems, unknown, now: now.as_secs() };
    let format = if options.shape == "json" { Format::Json } else { Format::Table };
    report::write(&decoded, format, &app.printer)?;
    Ok((!decoded.valid).then_some(Exit::NotYet))
}

fn token(options: &Options) -> anyhow::Result<String> {
    let stdin_is_taken = options.application.secret_comes_from_stdin();
    match options.token.as_deref() {
        Some("-") | None if stdin_is_taken => Err(CommandError::usage(
            "the token and the secret cannot both come from standard input",
            "give the token as an argument, or the secret in a file",
        )),
        None if std::io::stdin().is_terminal() => Err(CommandError::usage(
            "which token? none is given",
            "give it as an argument, or write it to standard input",
        )),
        Some("-") | None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| {
                CommandError::usage(format!("cannot read a token from standard input: {error}"), "a token is text")
            })?;
            Ok(text)
        }
        Some(token) => Ok(token.to_owned()),
    }
}

/// Compares a session with the database, where there is one: it is started for nobody, and a token can be read without it.
fn compare(
    app: &CommandContext,
    settings: &Settings,
    offline: bool,
    claims: Option<&Map<String, Json>>,
) -> SessionCheck {
    let not_asked = |why: String| SessionCheck { problems: Vec::new(), unknown: vec![why] };
    let Some(claims) = claims else { return SessionCheck::default() };
    if offline {
        return not_asked("user, membership and tenant were not looked up, as --offline says".to_owned());
    }
    let stopped = |local: LocalDb| matches!(local.running(), Err(local_db::Error::NotRunning));
    if matches!(settings.database(), DatabaseChoice::Local) && app.local(LocalOptions::default()).is_ok_and(stopped) {
        return not_asked(
            "user, membership and tenant were not looked up: no database URL is set, and the local database does not run"
                .to_owned(),
        );
    }
    let checked = block_on(stop::at_once(async {
        let connected = app.connect(settings).await?;
        app.printer.note(&format!("comparing with {}", connected.line()));
        let currency = dev_jwt::check(&connected.database, settings.tenancy(), claims).await;
        connected.database.close().await;
        Ok(currency?)
    }));
    checked.unwrap_or_else(|error| {
        let (what, ..) = failure::explain(&error);
        not_asked(format!("user, membership and tenant could not be looked up: {what}"))
    })
}

impl Report for Decoded {
    const NAME: &'static str = "jwt decode";
    const SCHEMA: Option<&'static str> = Some("jwt-decode/1");
    const SECRET: bool = true;

    fn table(&self) -> String {
        let mut lines: Vec<(&str, Value)> = vec![("verdict", self.verdict())];
        match &self.says {
            Says::Session { library, cookie_name, claims } => {
                let cookie = cookie_name.map(|name| format!(", cookie {name}")).unwrap_or_default();
                lines.extend(library.map(|library| ("token", format!("{}{cookie}", library.title()).into())));
                lines.extend(claims.iter().flat_map(|claims| self.claims(claims)));
            }
            Says::TenantCookie { cookie, expires_at } => lines.extend([
                ("token", "tenant cookie".to_owned().into()),
                ("user", cookie.user_id.clone().into()),
                ("tenant", cookie.tenant_id.clone().into()),
                ("signed", view::when(cookie.signed_at / 1000, self.now).into()),
                ("expires", view::when(expires_at / 1000, self.now).into()),
            ]),
        }
        if !self.unknown.is_empty() {
            lines.push(("not told", Value::list(&self.unknown)));
        }
        text::pairs(lines)
    }
}

/// Claims with a line of their own, or in one of another's.
const TOLD: [&str; 14] = [
    "name",
    "email",
    "sub",
    "userId",
    "role",
    "tenantId",
    "tenantSlug",
    "tenantRole",
    "availableTenants",
    "sessionVersion",
    "iat",
    "exp",
    "nbf",
    "jti",
];

impl Decoded {
    fn verdict(&self) -> Value {
        if self.valid {
            return "valid".to_owned().into();
        }
        Value::list(self.problems.iter().map(|reason| &reason.message))
    }

    fn claims(&self, claims: &Map<String, Json>) -> Vec<(&'static str, Value)> {
        let time = |name: &str| claims.get(name).and_then(Json::as_u64).map(|at| view::when(at, self.now));
        let plain = |name: &str| claims.get(name).map(ToString::to_string);
        let others = claims.iter().filter(|(name, _)| !TOLD.contains(&name.as_str()));
        // As JSON, which escapes what would move the cursor.
        let others: Vec<String> =
            others.map(|(name, value)| format!("{}: {value}", Json::from(name.as_str()))).collect();
        let of = |text: Option<String>| text.map(Value::from);
        let lines = [
            ("user", of(view::user(claims))),
            ("tenant", of(view::tenant(claims))),
            ("may use", of(view::tenants(claims))),
            ("version", of(plain("sessionVersion").map(|version| format!("sessionVersion {version}")))),
            ("issued", of(time("iat"))),
            ("from", of(time("nbf"))),
            ("expires", of(time("exp").or_else(|| Some("never".to_owned())))),
            ("id", of(plain("jti").map(|id| id.trim_matches('"').to_owned()))),
            ("others", (!others.is_empty()).then(|| Value::list(&others))),
        ];
        lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
