//! `bench jwt`: measures this program beside Node.

use bench::JwtBench;
use tenancy_config::Exit;

use crate::context::command_error::OrFailed;
use crate::context::{CommandResult, Context};

/// Measures how this program mints. It needs no server.
///
/// # Errors
/// The benchmark failed.
pub(super) fn run(context: &Context, runs: u32) -> CommandResult {
    let program = std::env::current_exe().or_failed("cannot tell which program this is")?;
    let report = bench::jwt(&JwtBench { program, runs }, &mut context.notes())?;
    context.report(&report)?;
    Ok((!report.same_claims).then_some(Exit::Failed))
}
