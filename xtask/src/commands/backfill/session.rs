//! A backfill from its options to its report: connects, asks, runs the job with progress and Ctrl-C, and reports.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backfill_engine::{BackfillEvent, BackfillReport, RunOutcome};
use tenancy_config::{Exit, NameError, Settings, TableName, Tenancy};
use tenant_rls::{ConnectOptions, Database};
use tokio::sync::watch::Receiver;

use super::args::BackfillArgs;
use super::progress::BackfillProgress;
use crate::context::failure::CommandFailure;
use crate::context::target::Connected;
use crate::context::{CommandResult, Context, holder, stop};
use crate::document::report;

/// How often the times of a bar are refreshed.
const TICK: Duration = Duration::from_secs(1);

/// A backfill on the database that the settings name.
pub(crate) struct BackfillSession<'a> {
    context: &'a Context,
    settings: Settings,
    connected: Connected,
    pub(crate) options: backfill_engine::BackfillOptions,
}

impl<'a> BackfillSession<'a> {
    /// Connects.
    ///
    /// # Errors
    /// The settings or the connection failed, or CSV was asked for.
    pub(crate) async fn open(
        context: &'a Context,
        command: &str,
        options: BackfillArgs,
    ) -> Result<Self, CommandFailure> {
        report::refuse_csv(command, context.global.format())?;
        Self::open_to_list(context, options).await
    }

    /// Connects for a command that lists something, also as CSV.
    ///
    /// # Errors
    /// The settings or the connection failed.
    pub(crate) async fn open_to_list(context: &'a Context, options: BackfillArgs) -> Result<Self, CommandFailure> {
        let settings = context.settings()?;
        // The file is checked now, as it may be written hours later.
        let options = backfill_engine::BackfillOptions::from(options);
        context.expect_file("--review", options.review.as_deref())?;
        // Besides the workers, the heartbeats of lease and process and the counts of other processes need one each. One is spare.
        let connections = ConnectOptions::default().max_connections.max(options.workers + 4);
        let connected = stop::at_once(context.connect_with(&settings, connections)).await?;
        Ok(Self { context, settings, connected, options })
    }

    pub(crate) fn database(&self) -> &Database {
        &self.connected.database
    }

    /// The table that has this name in `tenancy.toml`.
    ///
    /// # Errors
    /// No table can have that name.
    pub(crate) fn table(&self, name: &str) -> Result<TableName, NameError> {
        TableName::parse(name, &self.tenancy().database.schema)
    }

    pub(crate) fn tenancy(&self) -> &Tenancy {
        self.settings.tenancy()
    }

    /// Says which tables of which database the command is about to write to, and asks for a confirmation. A dry run asks nothing.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was written.
    pub(crate) async fn begin(&self, tables: &[&TableName]) -> Result<(), CommandFailure> {
        self.begin_with(tables, "").await
    }

    /// The same, with words that follow the names of the tables.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was written.
    pub(crate) async fn begin_with(&self, tables: &[&TableName], more: &str) -> Result<(), CommandFailure> {
        let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
        self.begin_writing(&format!("a tenant for the rows of {} that have none{more}", tables.join(", "))).await
    }

    /// Says what the command is about to write, and asks for a confirmation. A dry run asks nothing.
    ///
    /// # Errors
    /// Nobody confirmed; nothing was written.
    pub(crate) async fn begin_writing(&self, what: &str) -> Result<(), CommandFailure> {
        if !self.options.dry_run {
            return self.context.before_writing(&self.connected, what).await;
        }
        self.context.printer.note(&format!("dry run on {}: nothing will be kept", self.connected.line()));
        Ok(())
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.connected.database.clone().close().await;
    }

    /// Closes, writes the report, and returns the exit status.
    ///
    /// # Errors
    /// The report cannot be written. What was assigned stays.
    pub(crate) async fn end(self, report: BackfillReport) -> CommandResult {
        let report = report.covering(self.database(), self.tenancy()).await?;
        self.close().await;
        self.context.report(&report)?;
        Ok(exit(&report))
    }
}

/// Runs a job of the engine with progress and Ctrl-C. The job is given the holder, a receiver that says when to stop, and the
/// function that takes its events.
///
/// # Errors
/// The job failed. What was committed stays.
pub(crate) async fn run_job<E: Into<CommandFailure>>(
    context: &Context,
    job: impl AsyncFnOnce(&str, Receiver<bool>, &mut (dyn FnMut(BackfillEvent) + Send)) -> Result<BackfillReport, E>,
) -> Result<BackfillReport, CommandFailure> {
    attempt_job(context, job).await.map_err(Into::into)
}

/// The same, with the error as the engine made it.
///
/// # Errors
/// The job failed. What was committed stays.
pub(crate) async fn attempt_job<E>(
    context: &Context,
    job: impl AsyncFnOnce(&str, Receiver<bool>, &mut (dyn FnMut(BackfillEvent) + Send)) -> Result<BackfillReport, E>,
) -> Result<BackfillReport, E> {
    let holder = holder::name(tenancy_config::environment::checked);
    let bar = Mutex::new(BackfillProgress::new(&context.printer, context.global.format()));
    let locked = || bar.lock().unwrap_or_else(PoisonError::into_inner);
    let mut progress = |event| locked().event(event);
    let job = stop::gently(&context.printer, |stop| job(&holder, stop, &mut progress));
    let ticks = async {
        loop {
            tokio::time::sleep(TICK).await;
            locked().tick();
        }
    };
    let done = tokio::select! {
        done = job => done,
        () = ticks => unreachable!("it ticks until the job is done"),
    };
    locked().finish();
    done
}

/// The exit status of a command with this report.
pub(crate) fn exit(report: &BackfillReport) -> Option<Exit> {
    match report.outcome {
        RunOutcome::Stopped | RunOutcome::Cancelled => Some(Exit::Stopped),
        _ if report.is_complete() => None,
        _ => Some(Exit::NotYet),
    }
}
