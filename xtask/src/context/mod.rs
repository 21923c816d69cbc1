//! What every command is given: the streams, the options that all of them have, settings, databases and reports.

pub(crate) mod command_error;
pub(crate) mod duration_arg;
pub(crate) mod failure;
pub(crate) mod global;
pub(crate) mod holder;
pub(crate) mod project_root;
pub(crate) mod runtime;
pub(crate) mod seed_options;
pub(crate) mod server_options;
pub(crate) mod stop;
pub(crate) mod target;
pub(crate) mod tenant_choice;
pub(crate) mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenancy_config::environment::{self, Lookup};
use tenancy_config::{Exit, Settings, files};

use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::global::Global;
use crate::document::block::Document;
use crate::document::report::{self, Report};
use crate::document::{summary, terminal};
use crate::terminal::printer::Printer;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// The streams; shared with the task that waits for Ctrl-C.
    pub(crate) printer: Arc<Printer>,
    /// The options that every command has.
    pub(crate) global: Global,
    /// Where the command was started.
    pub(crate) cwd: PathBuf,
}

/// The result of a command. `None` means that everything was done.
pub(crate) type CommandResult = Result<Option<Exit>, CommandFailure>;

impl Context {
    /// The settings of this command line, this environment and this folder.
    ///
    /// # Errors
    /// A flag, a variable, an env file or `tenancy.toml` is wrong.
    pub(crate) fn settings(&self) -> Result<Settings, CommandFailure> {
        self.settings_in(&environment::text)
    }

    /// The settings of a command that needs no database. It is no error, not even in CI, if no URL is set.
    ///
    /// # Errors
    /// A flag, a variable, an env file or `tenancy.toml` is wrong.
    pub(crate) fn settings_without_database(&self) -> Result<Settings, CommandFailure> {
        let flags = tenancy_config::Flags { local: true, ..self.global.flags() };
        Ok(Settings::load(&flags, &environment::text, &self.cwd).map_err(tenant_rls::Error::from)?)
    }

    /// The settings of a command that writes `tenancy.toml`: one that is named need not be there.
    ///
    /// # Errors
    /// A flag, a variable, an env file or `tenancy.toml` is wrong.
    pub(crate) fn settings_for_new_config(&self) -> Result<Settings, CommandFailure> {
        let flags = tenancy_config::Flags { config_is_new: true, ..self.global.flags() };
        Ok(Settings::load(&flags, &environment::text, &self.cwd).map_err(tenant_rls::Error::from)?)
    }

    /// The settings in another environment than that of this process.
    ///
    /// # Errors
    /// A flag, a variable, an env file or `tenancy.toml` is wrong.
    pub(crate) fn settings_in(&self, env: &Lookup<'_>) -> Result<Settings, CommandFailure> {
        Ok(Settings::load(&self.global.flags(), env, &self.cwd).map_err(tenant_rls::Error::from)?)
    }

    /// Writes a report in the shape of `--format`, and appends it to the summary of a CI job.
    ///
    /// # Errors
    /// The report has no such shape, or cannot be written.
    pub(crate) fn report<R: Report>(&self, report: &R) -> Result<(), CommandFailure> {
        report::write(report, self.global.format(), &self.printer)?;
        summary::append(report, environment::path(summary::VARIABLE), &self.printer);
        Ok(())
    }

    /// Writes a document for people to standard output.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(crate) fn show(&self, document: &Document) -> Result<(), CommandFailure> {
        self.printer.data(&terminal::render(document, self.printer.width()))
    }

    /// Writes a document that another one follows.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(crate) fn show_part(&self, document: &Document) -> Result<(), CommandFailure> {
        self.printer.data(&(terminal::render(document, self.printer.width()) + "\n"))
    }

    /// Checks a second file that a command writes: the report must not overwrite it.
    ///
    /// # Errors
    /// It is the file of `--output`, or cannot be written.
    pub(crate) fn expect_file(&self, option: &str, file: Option<&Path>) -> Result<(), CommandFailure> {
        let Some(file) = file else { return Ok(()) };
        if self.global.output.as_deref().is_some_and(|output| same_place(output, file)) {
            let what = format!("--output and {option} name the same file, {}", file.display());
            return Err(CommandError::usage(what, "give each a file of its own"));
        }
        Ok(files::check(file)?)
    }

    /// A function that passes the notes of a library to the printer.
    pub(crate) fn notes(&self) -> impl FnMut(&str) + Send + use<> {
        let printer = Arc::clone(&self.printer);
        move |note| printer.note(note)
    }
}

/// Whether two paths name one file, which need not exist yet.
fn same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| -> Option<PathBuf> {
        let absolute = std::path::absolute(path).ok()?;
        Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
    };
    one == other || place(one).is_some_and(|one| place(other) == Some(one))
}
