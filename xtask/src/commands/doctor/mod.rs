//! `doctor`: reports the settings, the database, the role and the tables, for somebody who looks for the cause of a problem.

mod facts;
mod view;

use clap::Args;
use facts::{Facts, Reached};
use local_db::{LocalDb, LocalOptions, Role};
use tenancy_config::{CommandRef, DatabaseChoice, DatabaseUrl, Exit, Hint, Settings};
use tenant_rls::Database;

use crate::context::failure::CommandFailure;
use crate::context::server_options::ServerOptions;
use crate::context::{CommandResult, Context, stop};
use crate::document::report;

/// Tell which database and role this is, and what is missing
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask doctor
  cargo xtask doctor --format json
  cargo xtask doctor --database-url \"$DATABASE_URL\"

It ends with 3 if tenancy.toml names what the database does not have, or declares what does not fit it.")]
pub(crate) struct Options {
    #[command(flatten)]
    server: ServerOptions,
}

/// Reports the facts. It starts nothing and writes nothing.
///
/// # Errors
/// The settings are wrong. A database that does not answer is a finding, and the exit status is 1; with 3, `tenancy.toml` names what it does not have.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("doctor", context.global.format())?;
    let settings = context.settings()?;
    let facts = stop::at_once(examine(context, &settings, options.server.into())).await?;
    context.report(&facts)?;
    Ok(match facts.database.reachable {
        false => Some(Exit::Failed),
        true => facts.differs().then_some(Exit::NotYet),
    })
}

async fn examine(context: &Context, settings: &Settings, options: LocalOptions) -> Result<Facts, CommandFailure> {
    let local = context.local(options)?;
    let (url, origin) = match settings.database() {
        DatabaseChoice::Url { url, origin } => (Some(url.clone()), origin.to_string()),
        DatabaseChoice::Local => (running(&local)?, "the project's local database".to_owned()),
    };
    let Some(url) = url else {
        let why = "the local database is not running".to_owned();
        let start = Hint::quoted(CommandRef::DbUp).then(" starts it");
        return Ok(Facts::unreachable(settings, None, origin, why, Some(start)));
    };
    match connect(settings, &url).await {
        Ok(database) => {
            let ours = match database.session().system_identifier.as_deref() {
                Some(id) => local.is_ours(id)?,
                None => false,
            };
            let facts = Reached { database: &database, origin, ours }.facts(settings).await?;
            database.close().await;
            Ok(facts)
        }
        Err(error) => {
            let (what, causes, hint) = CommandFailure::from(error).explain();
            let why = [vec![what], causes].concat().join(": ");
            Ok(Facts::unreachable(settings, Some(&url), origin, why, hint))
        }
    }
}

async fn connect(settings: &Settings, url: &DatabaseUrl) -> Result<Database, tenant_rls::Error> {
    let options = tenant_rls::ConnectOptions { tls_no_verify: settings.tls_no_verify(), ..Default::default() };
    Database::connect(url, &options).await
}

/// The URL of the local database, if it runs.
fn running(local: &LocalDb) -> Result<Option<DatabaseUrl>, CommandFailure> {
    match local.running() {
        Ok(running) => Ok(Some(running.url(Role::Owner)?)),
        Err(local_db::Error::NotRunning) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
