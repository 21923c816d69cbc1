//! The command line as clap defines and reads it.

use clap::{Command as Definition, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::Command;
use crate::context::global::Global;
use crate::reference::overview;

/// Bring every row of a multi-tenant PostgreSQL application under its tenant.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) request: Option<Request>,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Request {
    #[command(flatten)]
    Command(Command),
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
/// The command line is wrong, or it asked for help or the version; clap's error says which.
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
