//! `jwt tenant-cookie`: signs the tenant cookie.

use clap::Args;
use clap::builder::PossibleValuesParser;
use dev_jwt::{Cookie, Library, TenantCookie};
use serde::Serialize;

use super::settings::{Application, Who, now, refuse_production};
use super::{shape, view};
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context};
use crate::document::block::{Document, code};
use crate::document::report::{self, Format, Report};

/// The values of `--format` here.
const SHAPES: [&str; 5] = ["cookie", "set-cookie", "token", "header", "json"];

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    application: Application,
    // It has the id of the global option, which it replaces in this command.
    /// Shape of the cookie
    #[arg(
        id = "format",
        long,
        default_value = "cookie",
        value_parser = PossibleValuesParser::new(SHAPES),
        hide_possible_values = true,
        value_name = "cookie|set-cookie|token|header|json",
        help_heading = "Output options"
    )]
    shape: String,
}

/// The cookie and what it says.
#[derive(Serialize)]
struct Signed {
    #[serde(flatten)]
    says: TenantCookie,
    /// In milliseconds since 1970.
    expires_at: u64,
    cookie: Cookie,
}

impl Report for Signed {
    const NAME: &'static str = "jwt tenant-cookie";
    const SCHEMA: Option<&'static str> = Some("jwt-tenant-cookie/1");
    const SECRET: bool = true;

    fn document(&self) -> Document {
        Document::new([code("", self.pair())])
    }
}

impl Signed {
    fn pair(&self) -> String {
        format!("{}={}", self.cookie.name, self.cookie.value)
    }
}

pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    shape::check(&options.shape, &SHAPES)?;
    let settings = context.settings()?;
    refuse_production(&settings)?;
    // The application signs it with the secret of its sessions, whichever library that is.
    let secret = options.application.secret(&context.printer, &settings, Library::NextAuth)?;
    let url = options.application.url(&settings, Library::NextAuth)?;
    let person = options.who.find(context, &settings).await?;
    let no_tenant = || dev_jwt::Error::NoMembership { email: person.user.email.clone(), ghosts: Vec::new() };
    let tenant = person.tenant().ok_or_else(no_tenant)?;
    let (says, value) =
        dev_jwt::tenant_cookie(tenant.id.as_str(), &person.user.id, &secret, tenancy_config::milliseconds(now()?))?;
    let expires_at = says.expires_at();
    context.printer.note(&format!(
        "{} works in {} until {}",
        person.user.email,
        tenant.slug,
        view::utc(expires_at / 1000)
    ));
    let signed = Signed { says, expires_at, cookie: Cookie { name: TenantCookie::NAME.to_owned(), value } };
    write(context, &signed, &options.shape, url.scheme() == "https")?;
    Ok(None)
}

fn write(context: &Context, signed: &Signed, shape: &str, secure: bool) -> Result<(), CommandFailure> {
    let text = match shape {
        "json" => return report::write(signed, Format::Json, &context.printer),
        "token" => format!("{}\n", signed.cookie.value),
        "header" => format!("Cookie: {}\n", signed.pair()),
        "set-cookie" => {
            // Next.js writes it URL-encoded.
            let cookie = Cookie { value: signed.cookie.value.replace(':', "%3A"), ..signed.cookie.clone() };
            format!("{}\n", shape::set_cookie(&cookie, secure, signed.expires_at / 1000, "Strict"))
        }
        _ => format!("{}\n", signed.pair()),
    };
    context.printer.secret(&text)
}
