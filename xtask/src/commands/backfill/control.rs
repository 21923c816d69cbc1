//! `backfill status`, `pause`, `resume` and `cancel`: a run, seen and held from outside.

use backfill_engine::{RunProcessRecord, RunState, RunStatus, change, status};
use chrono::{DateTime, Utc};
use clap::Args;

use crate::app::{CommandContext, Outcome};
use crate::report::Report;
use crate::text::{count, counted, line, table};
use crate::{holder, report, stop};

/// Show how a run stands, and which processes work at it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill status 7
  cargo xtask backfill status 7 --format json")]
pub(super) struct StatusOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// Hold a run: its processes end their batch and wait
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill pause 7
  cargo xtask backfill resume 7

When this returns, no batch of the run is open. Its processes stay, on every host, and go on after `resume`.")]
pub(super) struct PauseOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// Let a paused run go on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill resume 7")]
pub(super) struct ResumeOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// End a run for good: its processes end, what it did stays, and no later run takes it up
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask backfill cancel 7

`cargo xtask backfill undo 7` takes back what it did.")]
pub(super) struct CancelOptions {
    /// The run's number: `cargo xtask backfill runs` lists them
    #[arg(value_name = "RUN")]
    run: i64,
}

/// Shows it.
///
/// # Errors
/// There is no such run.
pub(super) async fn show(app: &CommandContext, options: StatusOptions) -> Outcome {
    report::refuse_csv("backfill status", app.global.format())?;
    let settings = app.settings()?;
    let status = stop::at_once(async {
        let connected = app.connect(&settings).await?;
        let status = status(&connected.database, settings.tenancy(), options.run).await?;
        connected.database.close().await;
        Ok(status)
    })
    .await?;
    app.report(&status)?;
    Ok(None)
}

/// Pauses it.
///
/// # Errors
/// There is no such run, or it is over.
pub(super) async fn pause(app: &CommandContext, options: PauseOptions) -> Outcome {
    set(app, "backfill pause", options.run, RunState::Paused).await
}

/// Lets it go on.
///
/// # Errors
/// There is no such run, or it is not paused.
pub(super) async fn resume(app: &CommandContext, options: ResumeOptions) -> Outcome {
    set(app, "backfill resume", options.run, RunState::Running).await
}

/// Ends it.
///
/// # Errors
/// There is no such run, or it is over.
pub(super) async fn cancel(app: &CommandContext, options: CancelOptions) -> Outcome {
    set(app, "backfill cancel", options.run, RunState::Cancelled).await
}

async fn set(app: &CommandContext, command: &str, run: i64, state: RunState) -> Outcome {
    report::refuse_csv(command, app.global.format())?;
    let settings = app.settings()?;
    let connected = stop::at_once(app.connect(&settings)).await?;
    app.before_writing(&connected, &format!("the state of run {run}, {}", state.as_str())).await?;
    let holder = holder::name(tenancy_config::environment::checked);
    let status = change(&connected.database, settings.tenancy(), run, state, &holder).await?;
    connected.database.close().await;
    app.report(&status)?;
    Ok(None)
}

impl Report for RunStatus {
    const NAME: &'static str = "backfill status";
    const SCHEMA: Option<&'static str> = Some("backfill-status/2");

    fn table(&self) -> String {
        format!("{}\n{}\n{}", line(headline(self)), facts(self), line(next(self)))
    }
}

fn headline(status: &RunStatus) -> String {
    let run = &status.run;
    let by = run.state_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    let state = match run.state {
        // Only what somebody did from outside, or how it ended, has a who and a when worth the line.
        RunState::Running => "running".to_owned(),
        state => format!("{}{by} at {}", state.as_str(), time(run.state_at)),
    };
    format!("run {} on {} is {state}", run.id, run.table)
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn facts(status: &RunStatus) -> String {
    let run = &status.run;
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("assigned", counted(run.assigned, "row", "rows")),
        row(
            "looked at",
            format!("{} in {}", counted(run.examined, "row", "rows"), counted(run.batches, "batch", "batches")),
        ),
        row("pass", run.pass.to_string()),
        row("began", format!("{} by {} on {}", time(run.started_at), run.login, run.host)),
    ];
    if run.ranges > 0 {
        rows.insert(3, row("ranges", format!("{} of {} at their end", count(run.ranges_done), count(run.ranges))));
    }
    rows.extend(status.processes.iter().map(|member| row("process", process(member))));
    table(&["", "how it stands"], rows)
}

fn process(member: &RunProcessRecord) -> String {
    let workers = counted(member.workers, "worker", "workers");
    let seen = member.heartbeat_at.format("%H:%M:%S UTC");
    match (&member.note, member.alive) {
        (_, false) => format!("{} is gone; its last heartbeat was at {seen} by the server's clock then", member.holder),
        (Some(note), true) => format!("{} with {workers}: {note}", member.holder),
        (None, true) => format!("{} with {workers}", member.holder),
    }
}

fn next(status: &RunStatus) -> String {
    let run = &status.run;
    let alive = status.processes.iter().any(|member| member.alive);
    match (run.state, alive) {
        (RunState::Running, true) => format!("`cargo xtask backfill pause {}` holds it.", run.id),
        (RunState::Paused, _) => format!("`cargo xtask backfill resume {}` lets it go on.", run.id),
        (RunState::Running | RunState::Stopped, _) => {
            format!("Nobody works at it. This goes on from where it ended: cargo xtask backfill run {}", run.table)
        }
        (RunState::Done | RunState::Cancelled, _) => {
            format!("`cargo xtask backfill undo {}` takes it back.", run.id)
        }
        (RunState::Undone, _) => "It was taken back.".to_owned(),
    }
}
