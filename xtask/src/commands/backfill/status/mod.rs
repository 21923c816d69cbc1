//! `backfill status`: shows the state of a run.

mod view;

use backfill_engine::status;
use clap::Args;

use crate::context::{CommandResult, Context, stop};
use crate::document::report;

/// Show how a run stands, and which processes work at it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill status 7
  cargo xtask backfill status 7 --format json")]
pub(super) struct Options {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// Shows it.
///
/// # Errors
/// There is no such run.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("backfill status", context.global.format())?;
    let settings = context.settings()?;
    let status = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        let status = status(&connected.database, settings.tenancy(), options.run).await?;
        connected.database.close().await;
        Ok(status)
    })
    .await?;
    context.report(&status)?;
    Ok(None)
}
