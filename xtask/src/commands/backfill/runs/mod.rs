//! `backfill runs`: lists the runs of this database.

mod view;

use backfill_engine::RunRecord;
use clap::Args;
use serde::Serialize;

use crate::context::{CommandResult, Context, stop};

/// List the runs of this database, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill runs
  cargo xtask backfill runs --format json")]
pub(super) struct Options {}

#[derive(Debug, Serialize)]
struct Runs {
    runs: Vec<RunRecord>,
}

/// Lists them.
///
/// # Errors
/// The database failed.
pub(super) async fn run(context: &Context, _options: Options) -> CommandResult {
    let settings = context.settings()?;
    let runs = stop::at_once(async {
        let connected = context.connect(&settings).await?;
        let runs = backfill_engine::runs(&connected.database, settings.tenancy()).await?;
        connected.database.close().await;
        Ok(runs)
    })
    .await?;
    context.report(&Runs { runs })?;
    Ok(None)
}
