//! The options of `db up`, and what it says.

use clap::Args;
use local_db::{ClusterChange, Running, StartOptions};

use crate::context::CommandContext;
use crate::context::failure::CommandFailure;

#[derive(Debug, Clone, Args)]
pub(super) struct UpOptions {
    /// Create no tables: the application's own migrations do
    #[arg(long)]
    empty: bool,
}

impl From<UpOptions> for StartOptions {
    fn from(options: UpOptions) -> Self {
        Self { empty: options.empty }
    }
}

/// Says what `up` or `reset` did, and what to do next.
pub(super) fn tell(context: &CommandContext, running: &Running) -> Result<(), CommandFailure> {
    let did = match running.change() {
        ClusterChange::None => "the local database runs already",
        ClusterChange::Started => "started the local database",
        ClusterChange::Created => "made the local database",
    };
    let version = running.programs().major();
    let next = if running.has_tables() { "`cargo xtask db seed` fills it" } else { "it has no tables yet" };
    context.printer.note(&format!("{did}: PostgreSQL {version} on port {}; {next}", running.port()));
    context.printer.note("`cargo xtask db url` prints its URL, `cargo xtask db psql` opens it");
    Ok(())
}
