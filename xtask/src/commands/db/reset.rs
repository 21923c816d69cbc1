//! `db reset`: says what is lost, asks for a confirmation, and starts anew.

use backfill_engine::bytes;
use clap::Args;
use local_db::{LocalDb, Loss, Reset};
use tenancy_config::{CommandRef, Hint};

use super::up::{UpOptions, tell};
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{Context, stop};

#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    #[command(flatten)]
    up: UpOptions,
    /// Throw the data away without asking
    #[arg(long)]
    yes: bool,
    /// End the sessions of whoever is connected, instead of refusing
    #[arg(long)]
    disconnect: bool,
}

/// Says what is lost, asks for a confirmation, and starts anew.
pub(super) async fn run(context: &Context, local: &LocalDb, options: &Options) -> Result<(), CommandFailure> {
    if let Some(loss) = stop::at_once(async { Ok(local.loss().await?) }).await? {
        for line in what_is_lost(&loss) {
            context.printer.line(&line);
        }
        let confirmed = options.yes || context.ask("Type `reset` to go on:").await?.as_deref() == Some("reset");
        if !confirmed {
            let hint = Hint::quoted(CommandRef::DbResetYes).then(" asks nothing");
            return Err(CommandError::refused("nobody confirmed the reset; nothing was deleted", hint));
        }
    }
    let reset = Reset { up: options.up.clone().into(), disconnect: options.disconnect };
    tell(context, &local.reset(&mut context.notes(), reset).await?)
}

fn what_is_lost(loss: &Loss) -> Vec<String> {
    let databases = match loss.databases.as_slice() {
        [] => String::new(),
        some => {
            let each = some.iter().map(|stored| format!("{} ({})", stored.database, bytes(stored.bytes)));
            format!(", with the databases {}", each.collect::<Vec<_>>().join(", "))
        }
    };
    let lost = format!("a reset deletes {}, {}{databases}", loss.data.display(), bytes(loss.bytes));
    let connected = loss.sessions.iter().map(|sessions| format!("connected now: {sessions}"));
    std::iter::once(lost).chain(connected).collect()
}
