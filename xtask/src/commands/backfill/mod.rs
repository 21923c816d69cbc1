//! `backfill`: backfills any table, applies decisions of people, and shows, controls and takes back runs.

mod apply;
pub(crate) mod args;
mod control;
mod events;
mod map;
mod memberships;
mod progress;
mod run;
mod runs;
pub(crate) mod session;
mod status;
mod suggest;
mod undo;
mod view;
mod why;

pub(crate) use map::shown;

use clap::{Args, Subcommand};

use crate::context::{CommandResult, Context};

/// Give rows of any table their tenant, by sources or decision; see runs and take one back
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill run invoices
  cargo xtask backfill run --all
  cargo xtask backfill run notes --rest-to archive --create
  cargo xtask backfill map --all
  cargo xtask backfill memberships --create --dry-run
  cargo xtask backfill apply review.csv
  cargo xtask backfill runs
  cargo xtask backfill status 7
  cargo xtask backfill pause 7
  cargo xtask backfill why bookings clx0f2k1e0000
  cargo xtask backfill undo 7 --dry-run")]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Options),
    Map(map::Options),
    Apply(apply::Options),
    Memberships(memberships::Options),
    Suggest(suggest::Options),
    Runs(runs::Options),
    Status(status::Options),
    Pause(control::PauseOptions),
    Resume(control::ResumeOptions),
    Cancel(control::CancelOptions),
    Undo(undo::Options),
    Why(why::Options),
}

/// Runs one of the commands.
///
/// # Errors
/// The engine failed.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    match options.command {
        Command::Run(options) => run::run(context, options).await,
        Command::Map(options) => map::run(context, options).await,
        Command::Apply(options) => apply::run(context, options).await,
        Command::Memberships(options) => memberships::run(context, options).await,
        Command::Suggest(options) => suggest::run(context, options).await,
        Command::Runs(options) => runs::run(context, options).await,
        Command::Status(options) => status::run(context, options).await,
        Command::Pause(options) => control::pause(context, options).await,
        Command::Resume(options) => control::resume(context, options).await,
        Command::Cancel(options) => control::cancel(context, options).await,
        Command::Undo(options) => undo::run(context, options).await,
        Command::Why(options) => why::run(context, options).await,
    }
}
