//! `rls`: takes the tables under row level security, phase by phase, and back.

mod args;
mod born_closed;
mod coverage;
mod folder;
mod next;
mod plan;
mod predict;
mod prisma;
mod progress;
mod rollback;
mod rollout;
mod setup;
mod snapshot;
mod statements;
mod status;
mod verify;

use clap::{Args, Subcommand};

use crate::context::{CommandResult, Context};

/// Take tables to row level security and back, and verify it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls status
  cargo xtask rls plan --output rollout.sql
  cargo xtask rls predict --statements queries.sql
  cargo xtask rls rollout --phase prepare
  cargo xtask rls rollout
  cargo xtask rls verify
  cargo xtask rls rollback --to prepare

It never takes the local database by itself: give a URL, or --local.")]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Options),
    Plan(plan::Options),
    Predict(predict::Options),
    Setup(setup::Options),
    Rollout(rollout::Options),
    BornClosed(born_closed::Options),
    Verify(verify::Options),
    Rollback(rollback::Options),
}

/// Runs one of the commands.
///
/// # Errors
/// What the command's own `run` says.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    match options.command {
        Command::Status(options) => status::run(context, options).await,
        Command::Plan(options) => plan::run(context, options).await,
        Command::Predict(options) => predict::run(context, options).await,
        Command::Setup(options) => setup::run(context, options).await,
        Command::Rollout(options) => rollout::run(context, options).await,
        Command::BornClosed(options) => born_closed::run(context, options).await,
        Command::Verify(options) => verify::run(context, options).await,
        Command::Rollback(options) => rollback::run(context, options).await,
    }
}
