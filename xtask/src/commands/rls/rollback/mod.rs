//! `rls rollback`: restores the definitions from before a rollout.

mod view;

use clap::{Args, ValueEnum};
use tenancy_config::{Exit, Settings};
use tenant_inventory::Phase;

use crate::commands::rls::args::{LockArgs, named};
use crate::commands::rls::progress::tell;
use crate::context::{CommandResult, Context, holder, stop};
use crate::document::report;

/// Take a rollout back: every definition as the journal has it from before
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls rollback --to prepare
  cargo xtask rls rollback --run 7
  cargo xtask rls rollback --to none --tables bookings

It refuses before its first step where somebody changed a definition since, or where dropping a column would lose tenants. The roles, their USAGE on schemas, and the schema tenant_ops stay.")]
pub(super) struct Options {
    /// The phase to go back to
    #[arg(long, value_enum, default_value_t, value_name = "none|prepare|tighten", hide_possible_values = true)]
    to: To,
    /// Only what this rollout did
    #[arg(long, value_name = "NUMBER", conflicts_with = "to")]
    run: Option<i64>,
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    /// Make all checks and show what would be restored; no lock is taken and nothing is written
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    lock: LockArgs,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum To {
    #[default]
    None,
    Prepare,
    Tighten,
}

impl From<To> for Phase {
    fn from(to: To) -> Self {
        match to {
            To::None => Self::None,
            To::Prepare => Self::Prepare,
            To::Tighten => Self::Tighten,
        }
    }
}

/// Rolls back on the database that the settings name.
///
/// # Errors
/// The settings are wrong, the database cannot be reached, or a table was changed since; tables that were restored stay so.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("rls rollback", context.global.format())?;
    let settings = context.settings()?;
    let rollback = rls_rollout::RollbackOptions {
        to: options.to.into(),
        rollout: options.run,
        tables: options.tables,
        lock_retry: options.lock.into(),
        dry_run: options.dry_run,
    };
    roll_back(context, &settings, &rollback).await
}

/// Takes back, and reports.
pub(super) async fn roll_back(
    context: &Context,
    settings: &Settings,
    options: &rls_rollout::RollbackOptions,
) -> CommandResult {
    let connected = stop::at_once(context.connect_for_ddl(settings)).await?;
    let back = match options.rollout {
        Some(run) => format!("to what it was before rollout {run}"),
        None => format!("back to `{}`", options.to),
    };
    let what = format!("row level security of {}, {back}", named(&options.tables));
    if !options.dry_run {
        context.before_writing(&connected, &what).await?;
    }
    let holder = holder::name(tenancy_config::environment::checked);
    let mut progress = |event| tell(&context.printer, &event);
    let done = stop::gently(&context.printer, |stop| {
        rls_rollout::rollback(&connected.database, settings.tenancy(), options, &holder, stop, &mut progress)
    })
    .await?;
    connected.database.close().await;
    context.report(&done)?;
    Ok(match (done.stopped, done.is_complete()) {
        (true, _) => Some(Exit::Stopped),
        (false, true) => None,
        (false, false) => Some(Exit::NotYet),
    })
}
