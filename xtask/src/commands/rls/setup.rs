//! `rls setup`: a rollout with the two variables of the application's older script.

use std::path::PathBuf;

use clap::Args;
use rls_rollout::{Goal, RolloutOptions};
use tenancy_config::{CommandRef, Settings, TableName};
use tenant_inventory::Phase;

use super::args::RolloutArgs;
use super::{rollback, rollout};
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::document::report;

/// Roll out as far as RLS_ALLOW_NULL_TENANT and FORCE_RLS say
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls setup
  RLS_ALLOW_NULL_TENANT=false cargo xtask rls setup
  RLS_ALLOW_NULL_TENANT=false FORCE_RLS=true cargo xtask rls setup
  cargo xtask rls setup --snapshot before-rls

RLS_ALLOW_NULL_TENANT=true, the default, is `rollout --phase prepare`; false is `--phase tighten`, and with
FORCE_RLS=true `--phase enforce`. Tables that are further go back to that phase, as `rls rollback` takes them, where
a variable is set that says so: RLS_ALLOW_NULL_TENANT=true back to `prepare`, FORCE_RLS=false back to `tighten`. Where
neither is set, nothing is relaxed.")]
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
    let null_switch = switch(&settings, "RLS_ALLOW_NULL_TENANT")?;
    let force_switch = switch(&settings, "FORCE_RLS")?;
    let (allow_null, force) = (null_switch.unwrap_or(true), force_switch.unwrap_or(false));
    let phase = phase(allow_null, force)?;
    context.printer.note(&format!("RLS_ALLOW_NULL_TENANT={allow_null} and FORCE_RLS={force}: phase {phase}"));
    let rollout = options.rollout.options(Goal::Phase(phase));
    let relaxed = relax(context, &settings, &rollout, phase, is_asked_for(phase, null_switch, force_switch)).await?;
    if relaxed.is_some() {
        return Ok(relaxed);
    }
    rollout::roll_out(context, &settings, &rollout, options.snapshot.as_deref()).await
}

/// Whether somebody set the variable that relaxes tables to this phase. What is set nowhere opens nothing.
fn is_asked_for(phase: Phase, allow_null: Option<bool>, force: Option<bool>) -> bool {
    match phase {
        Phase::Prepare => allow_null == Some(true),
        _ => force == Some(false),
    }
}

/// Takes tables back that are further than the phase, or says which command does. The answer is the status of a rollback that was not complete.
async fn relax(
    context: &Context,
    settings: &Settings,
    options: &RolloutOptions,
    phase: Phase,
    asked: bool,
) -> CommandResult {
    let connected = stop::at_once(context.connect_for_ddl(settings)).await?;
    let (database, tenancy) = (&connected.database, settings.tenancy());
    let ahead = stop::at_once(async { Ok(rls_rollout::ahead(database, tenancy, options, phase).await?) }).await?;
    connected.database.close().await;
    let names = |tables: &[TableName]| tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !ahead.unknown.is_empty() {
        context.printer.warning(&format!(
            "further than `{phase}`, and no rollout took them there, so nothing of them is taken back: {}",
            names(&ahead.unknown)
        ));
    }
    if ahead.journalled.is_empty() {
        return Ok(None);
    }
    if !asked {
        let (command, variable) = match phase {
            Phase::Prepare => (CommandRef::RlsRollbackAllToPrepare, "RLS_ALLOW_NULL_TENANT=true"),
            _ => (CommandRef::RlsRollbackAllToTighten, "FORCE_RLS=false"),
        };
        context.printer.warning(&format!(
            "further than `{phase}`, and left there, as no variable asks for less: {}; `{command}` takes them back, and so does {variable}",
            names(&ahead.journalled)
        ));
        return Ok(None);
    }
    let back = rls_rollout::RollbackOptions {
        to: phase,
        rollout: None,
        tables: options.tables.clone(),
        lock_retry: options.lock_retry,
        dry_run: false,
    };
    rollback::roll_back(context, settings, &back).await
}

fn switch(settings: &Settings, name: &str) -> Result<Option<bool>, CommandFailure> {
    let Some((value, origin)) = settings.env(name).filter(|(value, _)| !value.trim().is_empty()) else {
        return Ok(None);
    };
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
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

    #[test]
    fn only_a_variable_that_is_set_relaxes() {
        assert!(
            is_asked_for(Phase::Prepare, Some(true), None) && is_asked_for(Phase::Tighten, Some(false), Some(false))
        );
        assert!(!is_asked_for(Phase::Prepare, None, None) && !is_asked_for(Phase::Prepare, None, Some(false)));
        assert!(!is_asked_for(Phase::Tighten, Some(false), None));
    }
}
