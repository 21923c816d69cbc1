//! `backfill pause`, `resume` and `cancel`: what an operator does to a run from outside.

use backfill_engine::{RunState, change};
use clap::Args;

use crate::context::{CommandResult, Context, holder, stop};
use crate::document::report;

/// Hold a run: its processes end their batch and wait
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill pause 7
  cargo xtask backfill resume 7

When this returns, no batch of the run is open. Its processes stay, on every host, and go on after `resume`.")]
pub(super) struct PauseOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// Let a paused run go on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill resume 7")]
pub(super) struct ResumeOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// End a run for good: its processes end, what it did stays, and no later run takes it up
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill cancel 7

`cargo xtask backfill undo 7` takes back what it did.")]
pub(super) struct CancelOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// Pauses it.
///
/// # Errors
/// There is no such run, or it is over.
pub(super) async fn pause(context: &Context, options: PauseOptions) -> CommandResult {
    set(context, "backfill pause", options.run, RunState::Paused).await
}

/// Lets it go on.
///
/// # Errors
/// There is no such run, or it is not paused.
pub(super) async fn resume(context: &Context, options: ResumeOptions) -> CommandResult {
    set(context, "backfill resume", options.run, RunState::Running).await
}

/// Cancels it.
///
/// # Errors
/// There is no such run, or it is over.
pub(super) async fn cancel(context: &Context, options: CancelOptions) -> CommandResult {
    set(context, "backfill cancel", options.run, RunState::Cancelled).await
}

async fn set(context: &Context, command: &str, run: i64, state: RunState) -> CommandResult {
    report::refuse_csv(command, context.global.format())?;
    let settings = context.settings()?;
    let connected = stop::at_once(context.connect(&settings)).await?;
    context.before_writing(&connected, &format!("the state of run {run}, {}", state.as_str())).await?;
    let holder = holder::name(tenancy_config::environment::checked);
    let status = change(&connected.database, settings.tenancy(), run, state, &holder).await?;
    connected.database.close().await;
    context.report(&status)?;
    Ok(None)
}
