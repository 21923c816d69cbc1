//! `jwt`: mints sessions for development, explains why one is not accepted, and signs the tenant cookie.

mod decode;
mod mint;
mod settings;
mod shape;
mod tenant_cookie;
pub(crate) mod view;

use clap::{Args, Subcommand};

use crate::context::{CommandResult, Context};

/// Mint a session for development that the application's own middleware accepts
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  cargo xtask jwt --email staff@example.com --tenant acme
  cargo xtask jwt --email staff@example.com --format curl | sh
  cargo xtask jwt --email staff@example.com --format playwright --output auth.json
  eval \"$(cargo xtask jwt --email staff@example.com --format env)\"
  cargo xtask jwt --offline --claims claims.json --max-age 12h --for auth.js

The secret is the application's own, also from its .env files. It ends with 4 where NODE_ENV is
production, and on a database that is neither local nor confirmed."
)]
pub(crate) struct Options {
    #[command(flatten)]
    mint: mint::Mint,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell what a token says, and why the application would not accept it
    #[command(after_help = "Examples:
  cargo xtask jwt decode eyJhbGciOiJkaXIi…
  pbpaste | cargo xtask jwt decode -          also a `Cookie:` line with all its chunks
  cargo xtask jwt decode --offline --secret-file secret.txt TOKEN
  cargo xtask jwt decode --format json TOKEN

It ends with 3 if the application would not accept the token.")]
    Decode(decode::Options),
    /// Sign the cookie that says which tenant a user works in
    #[command(after_help = "Examples:
  cargo xtask jwt tenant-cookie --email staff@example.com --tenant acme
  cargo xtask jwt tenant-cookie --email staff@example.com --tenant acme --format header")]
    TenantCookie(tenant_cookie::Options),
}

/// Mints, reads or signs.
///
/// # Errors
/// The settings, the database or the job failed.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    match options.command {
        None => mint::run(context, options.mint).await,
        Some(Command::Decode(options)) => decode::run(context, options).await,
        Some(Command::TenantCookie(options)) => tenant_cookie::run(context, options).await,
    }
}
