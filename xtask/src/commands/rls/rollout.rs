//! `rls rollout`: as far as the data allows.

use std::path::{Path, PathBuf};

use clap::Args;
use rls_rollout::{RolloutReport, TableOutcome};
use rls_verify::VerifyOptions;
use tenancy_config::{Exit, Settings};
use tenant_inventory::Phase;

use super::verify::AppLogin;
use super::{Goal, How, tell};
use crate::app::{CommandContext, Outcome};
use crate::report::Report;
use crate::text::{count, counted, duration, line, table};
use crate::{holder, report, stop};

/// Go as far as the data allows, or to one phase
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask rls rollout --phase prepare
  cargo xtask rls rollout --tables bookings,invoices
  cargo xtask rls rollout --snapshot before-rls
  cargo xtask rls rollout --confirm production --format json --output rollout.json

Each step is short, keeps nobody waiting longer than the lock timeout, and can be taken back:
cargo xtask rls rollback. Ctrl-C ends it after the running step; the same command goes on.
It ends with 3 where a table did not get to its phase, and says why.")]
pub(super) struct Options {
    /// How far: prepare, tighten, enforce, or as far as the data allows
    #[arg(long, value_enum, default_value_t, value_name = "prepare|tighten|enforce|auto", hide_possible_values = true)]
    phase: Goal,
    /// Show what would be done; no lock is taken and nothing is written
    #[arg(long)]
    dry_run: bool,
    /// Prove at the end, as the application's own login, that no tenant reaches another's rows
    #[arg(long, conflicts_with = "dry_run")]
    verify: bool,
    #[command(flatten)]
    login: AppLogin,
    /// First write the definitions of the tables into this new folder, a script each
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Rolls out on the database that the settings name.
///
/// # Errors
/// The job's; steps that were done stay.
pub(super) async fn run(app: &CommandContext, options: Options) -> Outcome {
    report::refuse_csv("rls rollout", app.global.format())?;
    let settings = app.settings()?;
    let rollout = options.how.options(options.phase.into());
    if options.dry_run {
        return super::plan::show(app, &super::plan::make(app, &settings, &rollout).await?);
    }
    let exit = roll_out(app, &settings, &rollout, options.snapshot.as_deref()).await?;
    if !options.verify || exit == Some(Exit::Stopped) {
        return Ok(exit);
    }
    let connected = stop::at_once(app.connect_for_ddl(&settings)).await?;
    let write_probes = connected.is_local();
    let verify = VerifyOptions { tables: rollout.tables.clone(), write_probes, fire_triggers: false };
    let proof = super::verify::prove(app, &settings, &connected, &options.login, &verify).await?;
    connected.database.close().await;
    app.report(&proof)?;
    Ok(exit.or((!proof.is_proven()).then_some(Exit::NotYet)))
}

/// Rolls out, and reports.
pub(super) async fn roll_out(
    app: &CommandContext,
    settings: &Settings,
    options: &rls_rollout::RolloutOptions,
    snapshot: Option<&Path>,
) -> Outcome {
    if let Some(folder) = snapshot {
        super::snapshot::refuse_existing(folder)?;
    }
    let connected = stop::at_once(app.connect_for_ddl(settings)).await?;
    let what = format!("row level security of {}, {}", super::named(&options.tables), far(options.goal));
    app.before_writing(&connected, &what).await?;
    if let Some(folder) = snapshot {
        let database = &connected.database;
        let taken = stop::at_once(async { Ok(rls_rollout::snapshots(database, settings.tenancy(), options).await?) });
        let taken = taken.await?;
        super::snapshot::write(folder, &taken)?;
        let tables = counted(taken.len() as u64, "table", "tables");
        app.printer.note(&format!("wrote the definitions of {tables} into {}", folder.display()));
    }
    let holder = holder::name(tenancy_config::environment::checked);
    let mut progress = |event| tell(&app.printer, &event);
    let done = stop::gently(&app.printer, |stop| {
        rls_rollout::rollout(&connected.database, settings.tenancy(), options, &holder, stop, &mut progress)
    })
    .await?;
    connected.database.close().await;
    app.report(&done)?;
    Ok(match (done.stopped, done.is_complete()) {
        (true, _) => Some(Exit::Stopped),
        (false, true) => None,
        (false, false) => Some(Exit::NotYet),
    })
}

fn far(goal: rls_rollout::Goal) -> String {
    match goal {
        rls_rollout::Goal::Phase(phase) => format!("as far as `{phase}`"),
        rls_rollout::Goal::Auto => "as far as the data allows".to_owned(),
    }
}

impl Report for RolloutReport {
    const NAME: &'static str = "rls rollout";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let rows = self.tables.iter().map(|outcome| {
            vec![
                outcome.table.to_string(),
                outcome.before.to_string(),
                outcome.after.to_string(),
                count(outcome.steps as u64),
                duration(std::time::Duration::from_millis(outcome.milliseconds)),
            ]
        });
        let mut out = table(&["table", "was", "is", ">steps", ">time"], rows);
        out.push_str(&notes("Stopped", self, |outcome| &outcome.stopped_by));
        out.push_str(&notes("Let through", self, |outcome| &outcome.waived));
        out.push_str(&format!("\n{}\n", verdict(self)));
        out
    }
}

fn notes(heading: &str, report: &RolloutReport, list: impl Fn(&TableOutcome) -> &[String]) -> String {
    let lines: Vec<String> = report
        .tables
        .iter()
        .filter(|outcome| !list(outcome).is_empty())
        .map(|outcome| line(format!("  {}: {}", outcome.table, list(outcome).join("; "))))
        .collect();
    if lines.is_empty() { String::new() } else { format!("\n{heading}:\n{}", lines.concat()) }
}

fn verdict(report: &RolloutReport) -> String {
    let steps: usize = report.tables.iter().map(|outcome| outcome.steps).sum();
    let done = match report.rollout {
        None if report.is_complete() => "Nothing was left to do.".to_owned(),
        None => "No table could go on.".to_owned(),
        Some(number) => {
            let steps = counted(steps as u64, "step", "steps");
            format!("Rollout {number} did {steps}. To take it back: cargo xtask rls rollback --run {number}")
        }
    };
    let enforced = report.tables.iter().all(|outcome| outcome.after == Phase::Enforce);
    let next = if report.stopped {
        "Stopped; the same command goes on from here."
    } else if !report.is_complete() {
        "Next: cargo xtask audit shows the rows that are in the way; then the same command again."
    } else if enforced {
        "Every table is under FORCE ROW LEVEL SECURITY."
    } else {
        "Next: cargo xtask rls status"
    };
    format!("{done}\n{next}")
}
