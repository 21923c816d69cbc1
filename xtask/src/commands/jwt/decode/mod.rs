//! `jwt decode`: shows what a token says, and why the application would not accept it.

mod view;

use std::io::{IsTerminal, Read as _};

use clap::Args;
use clap::builder::PossibleValuesParser;
use dev_jwt::{DecodedSession, Library, PlaceReading, Problem, Read, ReadOptions, SessionCheck, TenantCookie};
use local_db::{LocalDb, LocalOptions};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use tenancy_config::{DatabaseChoice, Exit, Settings};

use crate::commands::jwt::settings::{Application, For, now};
use crate::commands::jwt::shape;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::document::report::{self, Format};

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
    // It has the id of the global option, which it replaces in this command.
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

/// What a token says, and what is wrong with it.
#[derive(Serialize)]
struct Decoded {
    valid: bool,
    #[serde(flatten)]
    says: Says,
    problems: Vec<Reason>,
    /// What has changed since and does not keep the application from accepting it.
    facts: Vec<Reason>,
    /// What could not be checked, and why.
    unknown: Vec<String>,
    #[serde(skip)]
    now: u64,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Says {
    Session {
        library: Option<Library>,
        cookie_name: Option<String>,
        claims: Option<Map<String, Json>>,
        /// What each place of the application does with the cookies.
        places: Vec<PlaceReading>,
        tenant_cookies: Vec<Beside>,
    },
    TenantCookie {
        #[serde(flatten)]
        cookie: TenantCookie,
        expires_at: u64,
    },
}

/// A tenant cookie beside the session.
#[derive(Serialize)]
struct Beside {
    #[serde(flatten)]
    cookie: TenantCookie,
    /// Why it does not count.
    problems: Vec<Reason>,
}

/// A problem, for programs and for people.
#[derive(Serialize)]
struct Reason {
    #[serde(flatten)]
    problem: Problem,
    message: String,
}

impl From<Problem> for Reason {
    fn from(problem: Problem) -> Self {
        Self { message: problem.to_string(), problem }
    }
}

pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    shape::check(&options.shape, &SHAPES)?;
    let settings = if options.offline { context.settings_without_database()? } else { context.settings()? };
    let token = token(&options)?;
    let library = options.library.map(Library::from);
    let secret = options.application.secret(&context.printer, &settings, library.unwrap_or_default())?;
    let secure = options.application.secure(&context.printer, &settings, library.unwrap_or_default())?;
    let now = now()?;
    let read = ReadOptions { library, secure, now, naming: options.application.naming() };
    let (says, mut problems, facts, unknown) = match dev_jwt::read(&token, &secret, &read) {
        Read::Tenant(cookie, problems) => {
            let expires_at = cookie.expires_at();
            (Says::TenantCookie { cookie, expires_at }, problems, Vec::new(), Vec::new())
        }
        Read::Session(DecodedSession { library, cookie_name, claims, mut problems, places, tenant_cookies }) => {
            let check = compare(context, &settings, options.offline, claims.as_ref()).await;
            problems.extend(check.problems);
            problems.extend(claims.iter().flat_map(|claims| dev_jwt::check_claims(settings.tenancy(), claims)));
            let beside = |(cookie, problems): (TenantCookie, Vec<Problem>)| Beside {
                cookie,
                problems: problems.into_iter().map(Reason::from).collect(),
            };
            let tenant_cookies = tenant_cookies.into_iter().map(beside).collect();
            (
                Says::Session { library, cookie_name, claims, places, tenant_cookies },
                problems,
                check.facts,
                check.unknown,
            )
        }
    };
    problems.dedup();
    let problems: Vec<Reason> = problems.into_iter().map(Reason::from).collect();
    let facts = facts.into_iter().map(Reason::from).collect();
    let decoded = Decoded { valid: problems.is_empty(), says, problems, facts, unknown, now: now.as_secs() };
    let format = if options.shape == "json" { Format::Json } else { Format::Table };
    report::write(&decoded, format, &context.printer)?;
    Ok((!decoded.valid).then_some(Exit::NotYet))
}

fn token(options: &Options) -> Result<String, CommandFailure> {
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

/// Compares a session with the database, if there is one. It does not start the local database, as a token can be read without it.
async fn compare(
    context: &Context,
    settings: &Settings,
    offline: bool,
    claims: Option<&Map<String, Json>>,
) -> SessionCheck {
    let not_asked = |why: String| SessionCheck { unknown: vec![why], ..SessionCheck::default() };
    let Some(claims) = claims else { return SessionCheck::default() };
    if offline {
        return not_asked("user, membership and tenant were not looked up, as --offline says".to_owned());
    }
    let stopped = |local: LocalDb| matches!(local.running(), Err(local_db::Error::NotRunning));
    if matches!(settings.database(), DatabaseChoice::Local) && context.local(LocalOptions::default()).is_ok_and(stopped)
    {
        return not_asked(
            "user, membership and tenant were not looked up: no database URL is set, and the local database does not run"
                .to_owned(),
        );
    }
    let checked = stop::at_once(async {
        let connected = context.connect(settings).await?;
        context.printer.note(&format!("comparing with {}", connected.line()));
        let check = dev_jwt::check(&connected.database, settings.tenancy(), claims).await;
        connected.database.close().await;
        Ok(check?)
    })
    .await;
    checked.unwrap_or_else(|error| {
        let (what, ..) = error.explain();
        not_asked(format!("user, membership and tenant could not be looked up: {what}"))
    })
}
