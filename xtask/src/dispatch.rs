//! From the command line to the exit status.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use tenancy_config::{Exit, environment};

use crate::command_line::{self, Cli, Request};
use crate::context::command_error::OrFailed;
use crate::context::runtime::block_on;
use crate::context::{CommandResult, Context, stop};
use crate::reference::{self, exit_codes, overview};
use crate::terminal::printer::Printer;
use crate::terminal::secrets::Secrets;

/// Runs one command line and returns the exit status. `shed` tells whether the variables of libpq could be removed from the
/// environment.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>, shed: io::Result<()>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let secrets = Secrets::of(&arguments);
    let Cli { global, request } = match command_line::parse(arguments) {
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
        .or_failed("cannot start without the variables of libpq (PGHOST and its kind); unset them")
        .and_then(|()| Ok(environment::check()?))
        .and_then(|()| Ok(printer.check_output()?))
        .and_then(|()| std::env::current_dir().or_failed("cannot tell the working directory"))
        .and_then(|cwd| dispatch(&Context { printer: Arc::clone(&printer), global, cwd }, request));
    match outcome {
        Ok(exit) => exit.map_or(exit_codes::DONE, Exit::code),
        Err(failure) => {
            let (what, causes, hint) = failure.explain();
            printer.error(&what, &causes, hint.as_ref());
            failure.exit().code()
        }
    }
}

/// Runs the command, or writes a page about the commands.
fn dispatch(context: &Context, request: Option<Request>) -> CommandResult {
    let page = match request {
        Some(Request::Command(command)) => return block_on(command.run(context)),
        Some(Request::Reference) => reference::markdown(command_line::definition()),
        None => overview::page(&command_line::definition()),
    };
    context.printer.data(&page)?;
    Ok(None)
}
