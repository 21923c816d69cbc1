//! `tenant-log`: shows what logs tell of tenant trouble.

mod view;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use tenancy_config::Exit;
use tenant_log::{Input, LogOptions, MostUnresolved};

use crate::context::command_error::CommandError;
use crate::context::duration_arg;
use crate::context::{CommandResult, Context};

/// Show what the logs tell of tenant trouble
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask tenant-log app.log postgresql.csv
  vercel logs | cargo xtask tenant-log --since 1h
  cargo xtask tenant-log app.log.2.gz app.log.1 app.log --format html --output log.html
  cargo xtask tenant-log app.log --since 1d --max-unresolved 0.1%     a gate: it ends with 3 if there is more

It reads the JSON lines of the application, behind the prefixes of platforms, and PostgreSQL's
own log as text, CSV and JSON. --since compares with the same time before it.")]
pub(crate) struct Options {
    /// Logs, plain or gzip; - is standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    files: Vec<PathBuf>,
    /// Only records of this time until now, such as 1h
    #[arg(long, value_parser = duration_arg::parse, value_name = "TIME")]
    since: Option<Duration>,
    /// With --since, the end of that time, such as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "MOMENT", requires = "since")]
    until: Option<DateTime<Utc>>,
    /// End with 3 unless at most this share of the requests has no tenant, such as 0.1%
    #[arg(long, value_name = "SHARE")]
    max_unresolved: Option<MostUnresolved>,
    /// How many places, routes, tenants and models are listed
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: u16,
}

/// Reads the logs. No database is needed.
///
/// # Errors
/// A file is not there, or `tenancy.toml` is wrong.
pub(crate) async fn run(context: &Context, options: Options) -> CommandResult {
    let settings = context.settings_without_database()?;
    let inputs: Vec<Input> = options.files.iter().map(|file| Input::from(file.as_path())).collect();
    if inputs.contains(&Input::Stdin) && std::io::stdin().is_terminal() {
        return Err(CommandError::usage(
            "standard input is a terminal, on which nobody types a log",
            "name files, or pipe a log into it",
        ));
    }
    let log_options = LogOptions {
        since: options.since,
        until: options.until.unwrap_or_else(Utc::now),
        top: options.top.into(),
        most_unresolved: options.max_unresolved,
    };
    let report = tenant_log::read(&inputs, &settings.tenancy().log, &log_options)?;
    context.report(&report)?;
    let is_quiet = report.gate.as_ref().is_none_or(tenant_log::GateVerdict::is_quiet);
    Ok((!is_quiet || report.found_nothing()).then_some(Exit::NotYet))
}
