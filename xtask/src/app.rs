//! From the command line to the exit status.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tenancy_config::environment::{self, Lookup};
use tenancy_config::{Exit, Settings, files};

use crate::cli::{self, Cli, Command, Global};
use crate::commands::{
    assign_chat_messages, audit, backfill, backfill_bookings, bench, db, demo, doctor, init, rls, seed_tenant_defaults,
};
use crate::document::report::{self, Report};
use crate::document::summary;
use crate::failure::CommandError;
use crate::terminal::printer::Printer;
use crate::terminal::secrets::Secrets;
use crate::{exit_codes, failure, overview, reference, stop};

/// What every command gets.
#[derive(Debug)]
pub(crate) struct CommandContext {
    /// The streams; shared with the task that waits for Ctrl-C.
    pub(crate) printer: Arc<Printer>,
    /// The options that every command has.
    pub(crate) global: Global,
    /// Where the command was started.
    pub(crate) cwd: PathBuf,
}

/// How a command ended that did not fail: `None` is "done".
pub(crate) type Outcome = anyhow::Result<Option<Exit>>;

/// Runs one command line and returns the exit status; `shed` is whether the variables of libpq could be left behind.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>, shed: io::Result<()>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let secrets = Secrets::of(&arguments);
    let Cli { global, command } = match cli::parse(arguments) {
        Ok(cli) => cli,
        Err(message) => {
            let exit = if message.use_stderr() { Exit::Usage.code() } else { exit_codes::DONE };
            Printer::new(false, false, None).hiding(secrets).clap(message);
            return exit;
        }
    };
    let printer = Printer::new(global.quiet, !global.no_progress, global.output.clone()).hiding(secrets);
    let printer = Arc::new(printer);
    stop::watch(&printer);
    let outcome = shed
        .context("cannot start without the variables of libpq (PGHOST and its kind); unset them")
        .and_then(|()| Ok(environment::check()?))
        .and_then(|()| Ok(printer.check_output()?))
        .and_then(|()| std::env::current_dir().context("cannot tell the working directory"))
        .and_then(|cwd| dispatch(&CommandContext { printer: Arc::clone(&printer), global, cwd }, command));
    match outcome {
        Ok(exit) => exit.map_or(exit_codes::DONE, Exit::code),
        Err(error) => failure::report(&error, &printer),
    }
}

/// Hands over to the command; those that need no server start no runtime.
fn dispatch(app: &CommandContext, command: Option<Command>) -> Outcome {
    let Some(command) = command else {
        app.printer.data(&overview::page(&cli::definition()))?;
        return Ok(None);
    };
    match command {
        Command::Db(options) => block_on(db::run(app, options)),
        Command::Demo(options) => block_on(demo::run(app, options)),
        Command::Doctor(options) => block_on(doctor::run(app, options)),
        Command::Audit(options) => block_on(audit::run(app, options)),
        Command::BackfillBookings(options) => block_on(backfill_bookings::run(app, options)),
        Command::Rls(options) => block_on(rls::run(app, options)),
        Command::SeedTenantDefaults(options) => block_on(seed_tenant_defaults::run(app, options)),
        Command::Backfill(options) => block_on(backfill::run(app, options)),
        Command::AssignChatMessages(options) => block_on(assign_chat_messages::run(app, options)),
        Command::Init(options) => block_on(init::run(app, options)),
        Command::Bench(options) => block_on(bench::run(app, options)),
        #[cfg(feature = "jwt")]
        Command::Jwt(options) => crate::commands::jwt::run(app, *options),
        Command::Reference => {
            app.printer.data(&reference::markdown(cli::definition()))?;
            Ok(None)
        }
    }
}

/// Two workers: the server does the heavy work, and the machine is often a small one.
///
/// # Errors
/// The command's, or that the system gives no threads.
pub(crate) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let outcome = runtime.block_on(command);
    // A question that Ctrl-C left unanswered still waits for a line; nobody waits for it.
    runtime.shutdown_background();
    outcome
}

impl CommandContext {
    /// The settings of this command line, this environment and this folder.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        self.settings_in(&environment::text)
    }

    #[cfg(feature = "jwt")]
    /// The settings of a command that needs no database: none is looked for, and in CI none is missed.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(crate) fn settings_without_database(&self) -> anyhow::Result<Settings> {
        let flags = tenancy_config::Flags { local: true, ..self.global.flags() };
        Ok(Settings::load(&flags, &environment::text, &self.cwd).map_err(tenant_rls::Error::from)?)
    }

    /// The settings in another environment than this process's.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(crate) fn settings_in(&self, env: &Lookup<'_>) -> anyhow::Result<Settings> {
        Ok(Settings::load(&self.global.flags(), env, &self.cwd).map_err(tenant_rls::Error::from)?)
    }

    /// Writes a report in the shape that was asked for, and beside it where CI shows summaries.
    ///
    /// # Errors
    /// As [`report::write`].
    pub(crate) fn report<R: Report>(&self, report: &R) -> anyhow::Result<()> {
        report::write(report, self.global.format(), &self.printer)?;
        summary::append(report, environment::path(summary::VARIABLE), &self.printer);
        Ok(())
    }

    /// Refuses a second file of a command where the report would be written over it.
    ///
    /// # Errors
    /// It is the file of `--output`, or cannot be written.
    pub(crate) fn expect_file(&self, option: &str, file: Option<&Path>) -> anyhow::Result<()> {
        let Some(file) = file else { return Ok(()) };
        if self.global.output.as_deref().is_some_and(|output| same_place(output, file)) {
            let what = format!("--output and {option} name the same file, {}", file.display());
            return Err(CommandError::usage(what, "give each a file of its own"));
        }
        Ok(files::check(file)?)
    }

    /// Takes a library's notes to the printer.
    pub(crate) fn notes(&self) -> impl FnMut(&str) + Send + use<> {
        let printer = Arc::clone(&self.printer);
        move |note| printer.note(note)
    }
}

/// Whether two paths lead to one place, which need not be there yet.
fn same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| -> Option<PathBuf> {
        let absolute = std::path::absolute(path).ok()?;
        Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
    };
    one == other || place(one).is_some_and(|one| place(other) == Some(one))
}
