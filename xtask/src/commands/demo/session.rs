//! A session in one of the tenants, the last but one step of the demo.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dev_jwt::{Claims, Lookup, MintOptions, Secret};
use tenancy_config::Tenancy;
use tenant_rls::Database;

use crate::commands::jwt::view;

/// The secret of the demo. No application has it, so its sessions give access to nothing.
const SECRET: &str = "the secret of the demo, for no application";

/// Mints a session for the user with the most memberships, and says how it is used.
///
/// # Errors
/// The database failed, or the system has no random numbers.
pub(super) async fn mint(database: &Database, tenancy: &Tenancy) -> anyhow::Result<String> {
    let Some(email) = dev_jwt::someone(database, tenancy).await? else {
        return Ok("No active tenant has a member.\n".to_owned());
    };
    let (person, _) = dev_jwt::find(database, tenancy, &Lookup::of(email.as_str()), &mut |_| {}).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let claims = Claims::of(&person, tenancy_config::milliseconds(now)).into_map();
    let options =
        MintOptions { library: dev_jwt::Library::NextAuth, secure: false, max_age: Duration::from_secs(60 * 60), now };
    let session = dev_jwt::mint(claims, &Secret::new(SECRET)?, &options)?;
    let who = view::who(&session.claims).join("\n");
    let start: String = session.token.chars().take(48).collect();
    Ok(format!(
        "{who}\nuntil {}, signed with a secret of the demo's own\n\nCookie: {}={start}…\n\n\
         An application with that secret takes a request with this line for that user's. For a user of yours, with the\n\
         secret from your application's .env files:\n\
         \x20 cargo xtask jwt --email EMAIL --tenant TENANT --format curl    a command to paste\n\
         \x20 cargo xtask jwt --email EMAIL --format playwright              end-to-end tests without a login\n",
        view::utc(session.expires_at),
        session.cookie_name,
    ))
}
