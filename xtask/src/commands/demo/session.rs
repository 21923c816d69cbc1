//! A session in one of the tenants, the last but one step of the demo.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dev_jwt::{Claims, Lookup, MintOptions, Secret};
use tenancy_config::{CommandRef, Tenancy};
use tenant_rls::Database;

use crate::commands::jwt::view;
use crate::context::command_error::OrFailed;
use crate::context::failure::CommandFailure;
use crate::document::block::{Document, Pairs, code, lines, paragraph};

/// The secret of the demo. No application has it, so its sessions give access to nothing.
const SECRET: &str = "the secret of the demo, for no application";

/// Mints a session for the user with the most memberships, and says how it is used.
///
/// # Errors
/// The database failed, or the system has no random numbers.
pub(super) async fn mint(database: &Database, tenancy: &Tenancy) -> Result<Document, CommandFailure> {
    let Some(email) = dev_jwt::someone(database, tenancy).await? else {
        return Ok(Document::new([paragraph("No active tenant has a member.")]));
    };
    let (person, _) = dev_jwt::find(database, tenancy, &Lookup::of(email.as_str()), &mut |_| {}).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).or_failed("the clock stands before 1970")?;
    let claims = Claims::of(&person, tenancy_config::milliseconds(now)).into_map();
    let options = MintOptions {
        library: dev_jwt::Library::NextAuth,
        secure: false,
        max_age: Duration::from_secs(60 * 60),
        now,
        naming: dev_jwt::Naming::default(),
    };
    let session = dev_jwt::mint(claims, &Secret::new(SECRET)?, &options)?;
    let until = format!("until {}, signed with a secret of the demo's own", view::utc(session.expires_at));
    let start: String = session.token.chars().take(48).collect();
    let curl = CommandRef::JwtCurl { email: "EMAIL".to_owned(), tenant: "TENANT".to_owned() };
    let playwright = CommandRef::JwtPlaywright { email: "EMAIL".to_owned() };
    let commands =
        [(curl.to_string(), "a command to paste"), (playwright.to_string(), "end-to-end tests without a login")];
    let yours = "An application with that secret takes a request with this line for that user's. For a user of yours, with the \
                 secret from your application's .env files:";
    Ok(Document::new([
        lines(view::who(&session.claims).into_iter().chain([until])),
        code("", format!("Cookie: {}={start}…", session.cookie_name)),
        Pairs::new(commands).titled(yours).into(),
    ]))
}
