//! Mints a session, for a user of the database or from a file of claims.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use dev_jwt::{Claims, LONGEST, Library, MintOptions, Session};
use serde_json::{Map, Value};

use super::settings::{Application, For, Who, now, refuse_production};
use super::{shape, view};
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, duration_arg};
use crate::number_format::duration;

/// The most bytes of headers that Node.js takes, if it is not told otherwise.
const NODE_HEADERS: usize = 16 * 1024;

/// What a browser's other headers may take of that.
const OTHER_HEADERS: usize = 1024;

#[derive(Debug, Args)]
pub(super) struct Mint {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    application: Application,
    /// The library that the application uses: NextAuth 4 or Auth.js 5
    #[arg(
        long = "for",
        value_enum,
        default_value = "next-auth",
        value_name = "next-auth|auth.js",
        hide_possible_values = true
    )]
    library: For,
    /// How long it is valid, up to 400d
    #[arg(long, default_value = "30d", value_parser = max_age, value_name = "TIME")]
    max_age: Duration,
    /// Use no database: the claims are those of --claims
    #[arg(long, requires = "claims", conflicts_with_all = ["email", "tenant", "include_inactive", "database_url", "direct_url", "local", "confirm"])]
    offline: bool,
    /// A file with the claims as a JSON object; `iat`, `exp` and `jti` are added
    #[arg(long, value_name = "FILE.json", requires = "offline")]
    claims: Option<PathBuf>,
    // It has the id of the global option, which it replaces in this command.
    /// Shape of the session
    #[arg(
        id = "format",
        long,
        default_value = "cookie",
        value_parser = PossibleValuesParser::new(shape::SHAPES),
        hide_possible_values = true,
        value_name = "cookie|set-cookie|token|header|curl|json|env|playwright",
        help_heading = "Output options"
    )]
    shape: String,
}

/// A duration of at least a second, and at most what browsers allow.
fn max_age(text: &str) -> Result<Duration, String> {
    let duration = duration_arg::parse(text)?;
    if duration < Duration::from_secs(1) {
        return Err("a token's times are whole seconds; write 1s or more".to_owned());
    }
    if duration > LONGEST {
        return Err("no browser keeps a cookie longer than 400d".to_owned());
    }
    Ok(duration)
}

pub(super) async fn run(context: &Context, options: Mint) -> CommandResult {
    shape::check(&options.shape, &shape::SHAPES)?;
    let settings = if options.offline { context.settings_without_database()? } else { context.settings()? };
    refuse_production(&settings)?;
    let library = Library::from(options.library);
    let secret = options.application.secret(&context.printer, &settings, library)?;
    let url = options.application.url(&settings, library)?;
    let claims = match &options.claims {
        Some(path) => read_claims(&context.cwd.join(path), path)?,
        None => {
            let person = options.who.find(context, &settings).await?;
            Claims::of(&person, tenancy_config::milliseconds(now()?)).into_map()
        }
    };
    let secure = options.application.secure(&context.printer, &settings, library)?.unwrap_or(false);
    let naming = options.application.naming();
    // A browser keeps a cookie with such a name only if it is Secure.
    let secure = secure || naming.cookie.as_deref().is_some_and(|name| name.starts_with("__"));
    let mint = MintOptions { library, secure, max_age: options.max_age, now: now()?, naming };
    let session = dev_jwt::mint(claims, &secret, &mint)?;
    tell(context, &session, options.max_age);
    shape::write(context, &session, &options.shape, &url)?;
    Ok(None)
}

fn read_claims(path: &Path, shown: &Path) -> Result<Map<String, Value>, CommandFailure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CommandError::usage(
            format!("cannot read the claims from {}: {error}", shown.display()),
            r#"it is an object such as {"sub": "u_1", "email": "staff@example.com", "tenantId": "t_1"}"#,
        )
    })?;
    Ok(dev_jwt::offline_claims(&text, now()?)?)
}

/// Says whose session it is and how long it is valid.
fn tell(context: &Context, session: &Session, max_age: Duration) {
    for line in view::who(&session.claims) {
        context.printer.note(&line);
    }
    let cookies = match session.cookies.len() {
        1 => String::new(),
        chunks => format!(", in {chunks} chunks"),
    };
    context.printer.note(&format!(
        "{} session until {} ({}), cookie {}{cookies}",
        session.library.title(),
        view::utc(session.expires_at),
        duration(max_age),
        session.cookie_name
    ));
    let bytes = session.cookie_header().len();
    if bytes > NODE_HEADERS - OTHER_HEADERS {
        let then =
            if bytes > NODE_HEADERS { "it refuses this request (431)" } else { "a browser's own may be too many" };
        context.printer.warning(&format!(
            "the session is a header of {bytes} bytes, and Node.js takes {NODE_HEADERS} of all headers together: {then}; raise \
             --max-http-header-size, or take a user with fewer tenants"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_from_a_second_to_what_browsers_keep() {
        assert_eq!(max_age("7d"), Ok(Duration::from_secs(7 * 24 * 60 * 60)));
        assert!(max_age("400d").is_ok() && max_age("1s").is_ok());
        assert!(max_age("401d").is_err() && max_age("999ms").is_err());
    }
}
