//! `rls setup`: a rollout with the two variables of the application's older script.

use std::path::PathBuf;

use clap::Args;
use rls_rollout::Goal;
use tenancy_config::Settings;
use tenant_inventory::Phase;

use super::args::RolloutArgs;
use super::rollout;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context};
use crate::document::report;

/// Roll out as far as RLS_ALLOW_NULL_TENANT and FORCE_RLS say
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls setup
  RLS_ALLOW_NULL_TENANT=false cargo xtask rls setup
  RLS_ALLOW_NULL_TENANT=false FORCE_RLS=true cargo xtask rls setup
  cargo xtask rls setup --snapshot before-rls

RLS_ALLOW_NULL_TENANT=true, the default, is `rollout --phase prepare`; false is `--phase tighten`, and with
FORCE_RLS=true `--phase enforce`.")]
pub(super) struct Options {
    /// First write the definitions of the tables into this new folder, a script each
    #[arg(long, value_name = "DIR")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    rollout: RolloutArgs,
}

/// Rolls out on the database that the settings name.
///
/// # Errors
/// A variable is neither `true` nor `false`, both contradict each other, or the job failed.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("rls setup", context.global.format())?;
    let settings = context.settings()?;
    let allow_null = switch(&settings, "RLS_ALLOW_NULL_TENANT", true)?;
    let force = switch(&settings, "FORCE_RLS", false)?;
    let phase = phase(allow_null, force)?;
    context.printer.note(&format!("RLS_ALLOW_NULL_TENANT={allow_null} and FORCE_RLS={force}: phase {phase}"));
    rollout::roll_out(context, &settings, &options.rollout.options(Goal::Phase(phase)), options.snapshot.as_deref())
        .await
}

fn switch(settings: &Settings, name: &str, default: bool) -> Result<bool, CommandFailure> {
    let Some((value, origin)) = settings.env(name).filter(|(value, _)| !value.trim().is_empty()) else {
        return Ok(default);
    };
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(CommandError::usage(format!("{origin} is `{other}`"), format!("{name} is true or false"))),
    }
}

fn phase(allow_null: bool, force: bool) -> Result<Phase, CommandFailure> {
    match (allow_null, force) {
        (true, false) => Ok(Phase::Prepare),
        (false, false) => Ok(Phase::Tighten),
        (false, true) => Ok(Phase::Enforce),
        (true, true) => Err(CommandError::usage(
            "FORCE_RLS=true would hold the owner to a policy that lets everybody see and take rows without a tenant",
            "set RLS_ALLOW_NULL_TENANT=false as well, or leave FORCE_RLS out until the rows have their tenants",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switches_name_a_phase_and_forcing_the_bridge_is_none() {
        assert_eq!(phase(true, false).unwrap(), Phase::Prepare);
        assert_eq!(phase(false, false).unwrap(), Phase::Tighten);
        assert_eq!(phase(false, true).unwrap(), Phase::Enforce);
        assert!(phase(true, true).is_err());
    }
}
