//! `rls`: takes the tables under row level security, phase by phase, and back.

mod folder;
mod plan;
mod prisma;
mod rollback;
mod rollout;
mod setup;
mod snapshot;
mod status;
mod verify;

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use rls_rollout::{CheckResult, RolloutEvent};
use tenant_inventory::Phase;

use crate::app::{CommandContext, Outcome};
use crate::printer::Printer;
use crate::text::{counted, duration};

/// Take the tables under row level security, phase by phase, prove it, and take it back
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls status
  cargo xtask rls plan --output rollout.sql
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
    Setup(setup::Options),
    Rollout(rollout::Options),
    Verify(verify::Options),
    Rollback(rollback::Options),
}

/// Runs one of the commands.
///
/// # Errors
/// The job's.
pub(crate) async fn run(app: &CommandContext, options: Options) -> Outcome {
    match options.command {
        Command::Status(options) => status::run(app, options).await,
        Command::Plan(options) => plan::run(app, options).await,
        Command::Setup(options) => setup::run(app, options).await,
        Command::Rollout(options) => rollout::run(app, options).await,
        Command::Verify(options) => verify::run(app, options).await,
        Command::Rollback(options) => rollback::run(app, options).await,
    }
}

/// What `plan`, `setup` and `rollout` share.
#[derive(Debug, Clone, Args)]
struct How {
    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "TABLE,…")]
    tables: Vec<String>,
    /// The role that the application logs in as [default: roles.app of tenancy.toml]
    #[arg(long, value_name = "ROLE")]
    app_role: Option<String>,
    /// The bridging policy of `prepare` lets write own rows only: for an application that always sets a tenant
    #[arg(long)]
    strict_writes: bool,
    /// Replace permissive policies of others, which would let through what ours do not
    #[arg(long)]
    adopt: bool,
    /// Tighten although rows reference another tenant's rows
    #[arg(long)]
    allow_cross_tenant_references: bool,
    #[command(flatten)]
    patience: Patience,
}

/// How a lock is waited for.
#[derive(Debug, Clone, Copy, Args)]
struct Patience {
    /// How long a statement that others would wait behind waits for its lock
    #[arg(long, default_value = "500ms", value_parser = crate::duration_arg::parse, value_name = "TIME")]
    lock_timeout: Duration,
    /// How often it is tried, with growing waits in between
    #[arg(long, default_value_t = rls_rollout::LockRetry::default().attempts, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    lock_attempts: u32,
}

impl From<Patience> for rls_rollout::LockRetry {
    fn from(patience: Patience) -> Self {
        Self { lock_timeout: patience.lock_timeout, attempts: patience.lock_attempts }
    }
}

impl How {
    fn options(self, goal: rls_rollout::Goal) -> rls_rollout::RolloutOptions {
        rls_rollout::RolloutOptions {
            goal,
            tables: self.tables,
            app_role: self.app_role,
            strict_writes: self.strict_writes,
            adopt: self.adopt,
            allow_cross_tenant_references: self.allow_cross_tenant_references,
            lock_retry: self.patience.into(),
        }
    }
}

/// The value of `--phase`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Goal {
    Prepare,
    Tighten,
    Enforce,
    #[default]
    Auto,
}

impl From<Goal> for rls_rollout::Goal {
    fn from(goal: Goal) -> Self {
        match goal {
            Goal::Prepare => Self::Phase(Phase::Prepare),
            Goal::Tighten => Self::Phase(Phase::Tighten),
            Goal::Enforce => Self::Phase(Phase::Enforce),
            Goal::Auto => Self::Auto,
        }
    }
}

/// The tables that were named, or all of them.
fn named(tables: &[String]) -> String {
    if tables.is_empty() { "each table with a tenant column".to_owned() } else { tables.join(", ") }
}

/// Says what a rollout or rollback is doing, a line each step.
fn tell(printer: &Printer, event: &RolloutEvent) {
    match event {
        RolloutEvent::Checked { check } => match check.verdict {
            CheckResult::Fine | CheckResult::Failed => printer.note(&check.to_string()),
            CheckResult::Reminder => printer.note(&format!("remember, {check}")),
            CheckResult::Warning => printer.warning(&check.to_string()),
            CheckResult::Unreadable => printer.warning(&format!("not everything can be seen: {check}")),
        },
        RolloutEvent::Queued { holder } => {
            printer.note(&format!("{holder} holds the lease; waiting to see whether they are alive"));
        }
        RolloutEvent::Step { table, step, lock, .. } => printer.note(&format!("{table}: {step} ({lock})")),
        RolloutEvent::Waiting { table, step, blockers, wait, lock_timeout } => {
            let names: Vec<String> = blockers.iter().map(|blocker| blocker.beside(table)).collect();
            let held =
                if names.is_empty() { "it is free now".to_owned() } else { format!("held by {}", names.join("; ")) };
            let (wait, limit) = (duration(*wait), duration(*lock_timeout));
            printer.warning(&format!(
                "{table}: could not {step}: no lock in time, {held}; trying again in {wait}, for up to {limit}"
            ));
        }
        RolloutEvent::Auditing { done, of } => {
            if done == of {
                printer.note(&format!("audited {}", counted(*of as u64, "table", "tables")));
            }
        }
    }
}
