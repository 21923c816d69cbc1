//! `rls status`: shows the phase of each table.

mod view;

use clap::Args;

use crate::context::{CommandResult, Context, stop};

/// Show how far each table is, and what stops it from going on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls status
  cargo xtask rls status --format json")]
pub(super) struct Options {
    /// The role that the application logs in as [default: roles.app of tenancy.toml]
    #[arg(long, value_name = "ROLE")]
    app_role: Option<String>,
}

/// Reads the catalog of the database that the settings name.
///
/// # Errors
/// The settings are wrong, or the database cannot be reached or read.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    let settings = context.settings()?;
    let report = stop::at_once(async {
        let connected = context.connect_by_choice(&settings).await?;
        context.printer.note(&format!("looking at {}", connected.line()));
        let app_role = options.app_role.as_deref();
        let report = rls_rollout::status(&connected.database, settings.tenancy(), app_role).await?;
        connected.database.close().await;
        Ok(report)
    })
    .await?;
    context.report(&report)?;
    Ok(None)
}
