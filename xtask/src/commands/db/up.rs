//! The options of `db up`, and what it says.

use clap::Args;
use local_db::{ClusterChange, Running, StartOptions};
use tenancy_config::CommandRef;

use crate::context::Context;
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
pub(super) fn tell(context: &Context, running: &Running) -> Result<(), CommandFailure> {
    let did = match running.change() {
        ClusterChange::None => "the local database runs already",
        ClusterChange::Started => "started the local database",
        ClusterChange::Created => "made the local database",
    };
    let version = running.programs().major();
    let fills = || format!("`{}` fills it", CommandRef::DbSeed);
    let next = if running.has_tables() { fills() } else { "it has no tables yet".to_owned() };
    context.printer.note(&format!("{did}: PostgreSQL {version} on port {}; {next}", running.port()));
    let (url, psql) = (CommandRef::DbUrl, CommandRef::DbPsql);
    context.printer.note(&format!("`{url}` prints its URL, `{psql}` opens it"));
    Ok(())
}
