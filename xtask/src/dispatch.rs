//! From the command line to the exit status.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use anyhow::Context;
use tenancy_config::{Exit, environment};

use crate::command_line::{self, Cli, Command};
use crate::commands::{
    assign_chat_messages, audit, backfill, backfill_bookings, bench, db, demo, doctor, init, rls, seed_tenant_defaults,
};
use crate::context::runtime::block_on;
use crate::context::{CommandContext, CommandResult, failure, stop};
use crate::reference::{self, exit_codes, overview};
use crate::terminal::printer::Printer;
use crate::terminal::secrets::Secrets;

/// Runs one command line and returns the exit status. `shed` tells whether the variables of libpq could be removed from the
/// environment.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>, shed: io::Result<()>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let secrets = Secrets::of(&arguments);
    let Cli { global, command } = match command_line::parse(arguments) {
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

/// Runs the command. Commands that need no server start no runtime.
fn dispatch(context: &CommandContext, command: Option<Command>) -> CommandResult {
    let Some(command) = command else {
        context.printer.data(&overview::page(&command_line::definition()))?;
        return Ok(None);
    };
    match command {
        Command::Db(options) => block_on(db::run(context, options)),
        Command::Demo(options) => block_on(demo::run(context, options)),
        Command::Doctor(options) => block_on(doctor::run(context, options)),
        Command::Audit(options) => block_on(audit::run(context, options)),
        Command::BackfillBookings(options) => block_on(backfill_bookings::run(context, options)),
        Command::Rls(options) => block_on(rls::run(context, options)),
        Command::SeedTenantDefaults(options) => block_on(seed_tenant_defaults::run(context, options)),
        Command::Backfill(options) => block_on(backfill::run(context, options)),
        Command::AssignChatMessages(options) => block_on(assign_chat_messages::run(context, options)),
        Command::Init(options) => block_on(init::run(context, options)),
        Command::Bench(options) => block_on(bench::run(context, options)),
        #[cfg(feature = "jwt")]
        Command::Jwt(options) => crate::commands::jwt::run(context, *options),
        Command::Reference => {
            context.printer.data(&reference::markdown(command_line::definition()))?;
            Ok(None)
        }
    }
}
