//! `bench leaks`: plants ways around the policies and looks whether `rls verify` finds them.

use std::path::PathBuf;

use bench::{LeaksBench, LeaksReport};
use clap::Args;
use local_db::{LocalDb, Role, StartOptions};
use tenancy_config::{Exit, environment};

use crate::context::failure::CommandFailure;
use crate::context::server_options::ServerOptions;
use crate::context::{CommandResult, Context, project_root, stop};

#[derive(Debug, Args)]
pub(super) struct Leaks {
    /// Only the cases of this family, or one case
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// The linter pgrls, whose score is shown beside ours [default: the one in PATH]
    #[arg(long, value_name = "PROGRAM")]
    pgrls: Option<PathBuf>,
}

/// Plants the cases on a server of their own, as they change roles, and removes that server.
///
/// # Errors
/// The server or the rollout failed. What goes wrong with one case is in the report.
pub(super) async fn run(context: &Context, leaks: Leaks, server: ServerOptions) -> CommandResult {
    let root = project_root::find(environment::checked, &context.cwd);
    let local = LocalDb::beside(&root, "leaks", context.local_options(server.into())?)?;
    // A signal that comes between two steps must not leave the server running.
    let _awaited = stop::Awaited::here();
    let planted = plant(context, &local, leaks).await;
    local.remove().await?;
    // This removes the folder only if it is empty.
    let _ = std::fs::remove_dir(root.join(".local-db/leaks"));
    let report = planted?;
    context.report(&report)?;
    Ok(match (report.is_valid(), report.is_right()) {
        (false, _) => Some(Exit::Failed),
        (true, false) => Some(Exit::NotYet),
        (true, true) => None,
    })
}

async fn plant(context: &Context, local: &LocalDb, leaks: Leaks) -> Result<LeaksReport, CommandFailure> {
    let bench = LeaksBench { only: leaks.only, every: 1, pgrls: leaks.pgrls.or_else(installed) };
    stop::at_once(async {
        let running = local.up(&mut context.notes(), StartOptions { empty: true }).await?;
        Ok(bench::leaks(&running.url(Role::Superuser)?, &bench, &mut context.notes()).await?)
    })
    .await
}

fn installed() -> Option<PathBuf> {
    environment::program_folders().into_iter().map(|folder| folder.join("pgrls")).find(|program| program.is_file())
}
