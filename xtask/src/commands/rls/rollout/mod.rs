//! `rls rollout`: takes tables to a phase, or as far as their rows allow.

mod gate;
mod view;

use std::path::{Path, PathBuf};

use clap::Args;
use rls_rollout::RolloutOptions;
use rls_verify::VerifyOptions;
use tenancy_config::plain::plain;
use tenancy_config::{Exit, Settings};
use tenant_rls::Database;

use crate::commands::rls::args::{PhaseArg, RolloutArgs, named};
use crate::commands::rls::progress::tell;
use crate::commands::rls::rollout::gate::GateArgs;
use crate::commands::rls::verify::{self, AppLogin};
use crate::commands::rls::{plan, snapshot as snapshots};
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, holder, stop};
use crate::document::report;
use crate::number_format::counted;

/// Go as far as the data allows, or to one phase
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls rollout --phase logins
  cargo xtask rls rollout --phase prepare
  cargo xtask rls rollout --tables bookings,invoices
  cargo xtask rls rollout --snapshot before-rls
  cargo xtask rls rollout --statements queries.sql --allow-slower 0a1b2c3d4e5f
  cargo xtask rls rollout --add-column invoice_items=invoice_id
  cargo xtask rls rollout --confirm production --format json --output rollout.json

Each step is short, keeps nobody waiting longer than the lock timeout, and can be taken back:
cargo xtask rls rollback. Ctrl-C ends it after the running step; the same command goes on.
It ends with 3 where a table did not get to its phase, and says why.")]
pub(super) struct Options {
    /// How far: the declared logins alone, prepare, tighten, enforce, or as far as the data allows
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "logins|prepare|tighten|enforce|auto",
        hide_possible_values = true
    )]
    phase: PhaseArg,
    /// Show what would be done; no lock is taken and nothing is written
    #[arg(long)]
    dry_run: bool,
    /// Try at the end, as the application's own login, to reach other tenants' rows
    #[arg(long, conflicts_with = "dry_run")]
    verify: bool,
    #[command(flatten)]
    login: AppLogin,
    /// First write the definitions of the tables into this new folder, a script each
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    rollout: RolloutArgs,
}

/// Rolls out on the database that the settings name.
///
/// # Errors
/// The job failed. Steps that were done stay.
pub(super) async fn run(context: &Context, options: Options) -> CommandResult {
    report::refuse_csv("rls rollout", context.global.format())?;
    let settings = context.settings()?;
    let rollout = options.rollout.options(options.phase.into());
    if !gate::is_open(context, &settings, &options.login, &options.gate, &rollout).await? {
        return Ok(Some(Exit::NotYet));
    }
    if options.dry_run {
        return plan::show(context, &plan::make(context, &settings, &rollout).await?);
    }
    let exit = roll_out(context, &settings, &rollout, options.snapshot.as_deref()).await?;
    if !options.verify || exit == Some(Exit::Stopped) {
        return Ok(exit);
    }
    let connected = stop::at_once(context.connect_for_ddl(&settings)).await?;
    let write_probes = connected.is_local();
    let attempts = VerifyOptions { tables: rollout.tables.clone(), write_probes, ..VerifyOptions::default() };
    let proof = verify::prove(context, &settings, &connected, &options.login, &attempts).await?;
    connected.database.close().await;
    context.report(&proof)?;
    Ok(exit.or((!proof.is_proven()).then_some(Exit::NotYet)))
}

/// Rolls out, and reports.
pub(super) async fn roll_out(
    context: &Context,
    settings: &Settings,
    options: &RolloutOptions,
    snapshot: Option<&Path>,
) -> CommandResult {
    if let Some(folder) = snapshot {
        snapshots::refuse_existing(folder)?;
    }
    let connected = stop::at_once(context.connect_for_ddl(settings)).await?;
    let what = format!("row level security of {}, {}", named(&options.tables), far(options.goal));
    context.before_writing(&connected, &what).await?;
    let options = &agreed(context, &connected.database, settings, options).await?;
    if let Some(folder) = snapshot {
        let database = &connected.database;
        let taken = stop::at_once(async { Ok(rls_rollout::snapshots(database, settings.tenancy(), options).await?) });
        let taken = taken.await?;
        snapshots::write(folder, &taken)?;
        let tables = counted(taken.len() as u64, "table", "tables");
        context.printer.note(&format!("wrote the definitions of {tables} into {}", folder.display()));
    }
    let holder = holder::name(tenancy_config::environment::checked);
    let mut progress = |event| tell(&context.printer, &event);
    let done = stop::gently(&context.printer, |stop| {
        rls_rollout::rollout(&connected.database, settings.tenancy(), options, &holder, stop, &mut progress)
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

/// The options with the answer to the question whether policies may filter the application itself. Without an answer the rollout refuses.
async fn agreed(
    context: &Context,
    database: &Database,
    settings: &Settings,
    options: &RolloutOptions,
) -> Result<RolloutOptions, CommandFailure> {
    let found =
        stop::at_once(async { Ok(rls_rollout::question(database, settings.tenancy(), options).await?) }).await?;
    let Some(notice) = found else { return Ok(options.clone()) };
    let answer = context.ask(&format!("{}. Type `yes` if the application does so:", plain(notice.to_string()))).await?;
    Ok(RolloutOptions { application_owns_tables: answer.as_deref() == Some("yes"), ..options.clone() })
}

fn far(goal: rls_rollout::Goal) -> String {
    match goal {
        rls_rollout::Goal::Logins => "the declared logins alone".to_owned(),
        rls_rollout::Goal::Phase(phase) => format!("as far as `{phase}`"),
        rls_rollout::Goal::Auto => "as far as the data allows".to_owned(),
    }
}
