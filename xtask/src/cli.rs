//! What can be typed: the commands and the options that all of them share.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Command as Definition, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use tenancy_config::Flags;

use crate::commands::{
    assign_chat_messages, audit, backfill, backfill_bookings, bench, db, demo, doctor, init, rls, seed_tenant_defaults,
};
use crate::document::report::{self, Format};
use crate::overview;

/// Bring every row of a multi-tenant PostgreSQL application under its tenant.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database options")]
pub(crate) struct Global {
    /// The database [default: DATABASE_URL, NETLIFY_DATABASE_URL, else the local database]
    #[arg(long, global = true, value_name = "URL", allow_hyphen_values = true)]
    database_url: Option<String>,
    /// The same database without its pooler [default: DIRECT_URL, DATABASE_URL_UNPOOLED, …]
    #[arg(long, global = true, value_name = "URL")]
    direct_url: Option<String>,
    /// Use the project's local database, whatever DATABASE_URL says
    #[arg(long, global = true, conflicts_with = "database_url")]
    pub(crate) local: bool,
    /// Name the environment that may be written to, where nobody can be asked
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Do not verify the server's certificate
    #[arg(long, global = true)]
    tls_no_verify: bool,
    /// The tenancy.toml to use [default: TENANCY_CONFIG, else upwards to the git root]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder with the application's .env files [default: the working directory]
    #[arg(long, global = true, value_name = "DIR")]
    app_dir: Option<PathBuf>,

    /// Shape of the report
    #[arg(
        long,
        global = true,
        default_value = "table",
        value_parser = PossibleValuesParser::new(report::FORMATS),
        hide_possible_values = true,
        value_name = "table|json|csv",
        help_heading = "Output options"
    )]
    // Text, so that a command with shapes of its own can replace it by an option of the same id.
    format: String,
    /// Write the report into a file, whole or not at all
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output options")]
    pub(crate) output: Option<PathBuf>,
    /// Say nothing but the report, what is written to, warnings and errors
    #[arg(long, short, global = true, help_heading = "Output options")]
    pub(crate) quiet: bool,
    /// Show no progress
    #[arg(long, global = true, help_heading = "Output options")]
    pub(crate) no_progress: bool,
}

impl Global {
    /// The shape of the report. A command with shapes of its own reads them itself, and none of them is meant here.
    pub(crate) fn format(&self) -> Format {
        Format::from_str(&self.format, false).unwrap_or_default()
    }

    /// The part that the settings are made of.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            database_url: self.database_url.clone(),
            direct_url: self.direct_url.clone(),
            config: self.config.clone(),
            app_dir: self.app_dir.clone(),
            tls_no_verify: self.tls_no_verify,
            local: self.local,
        }
    }
}

/// The commands; `overview` puts each into a group.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Db(db::Options),
    Demo(demo::Options),
    Doctor(doctor::Options),
    Audit(audit::Options),
    BackfillBookings(backfill_bookings::Options),
    Rls(rls::Options),
    SeedTenantDefaults(seed_tenant_defaults::Options),
    Backfill(backfill::Options),
    AssignChatMessages(assign_chat_messages::Options),
    Init(init::Options),
    Bench(bench::Options),
    #[cfg(feature = "jwt")]
    Jwt(Box<crate::commands::jwt::Options>),
    /// Print the command reference (docs/commands.md)
    #[command(hide = true)]
    Reference,
}

/// The definition with the overview as its help.
pub(crate) fn definition() -> Definition {
    overview::into_help(Cli::command())
}

/// Reads a command line.
///
/// # Errors
/// It is wrong, or it asked for help or the version; clap's error knows which.
pub(crate) fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
    let matches = definition().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        definition().debug_assert();
    }

    /// `.ci/run` runs the tests of this program a second time without the feature.
    #[cfg(not(feature = "jwt"))]
    #[test]
    fn a_build_without_sessions_does_not_know_the_word() {
        assert!(parse(["cargo xtask", "jwt"].map(Into::into)).is_err());
        let reference = crate::reference::markdown(definition());
        assert!(!reference.contains("jwt"), "{reference}");
    }

    #[test]
    fn every_command_shows_examples() {
        fn check(command: &Definition) {
            if command.has_subcommands() {
                command.get_subcommands().filter(|sub| !sub.is_hide_set()).for_each(check);
            }
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  cargo xtask"), "`{}` has no examples in its help", command.get_name());
        }
        check(&definition());
    }
}
