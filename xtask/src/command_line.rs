//! The command line as clap defines and reads it.

use clap::builder::StyledStr;
use clap::{Command as Definition, CommandFactory, FromArgMatches, Parser, Subcommand};

use tenancy_config::program;

use crate::commands::Command;
use crate::context::global::Global;
use crate::reference::overview;

/// Bring every row of a multi-tenant PostgreSQL application under its tenant.
#[derive(Debug, Parser)]
#[command(name = program::name(), bin_name = program::name(), version, max_term_width = 100)]
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

/// The definition with the overview as its help, for the program as it was started.
pub(crate) fn definition() -> Definition {
    named_as(overview::into_help(Cli::command()), program::name())
}

/// The help of a command and of those below it is written for the alias. The installed program has another name.
fn named_as(command: Definition, name: &str) -> Definition {
    if name == program::WORKSPACE {
        return command;
    }
    let named = |text: &StyledStr| text.to_string().replace(program::WORKSPACE, name);
    let help = command.get_after_help().map(named);
    let command = command.mut_subcommands(|below| named_as(below, name)).mut_args(|arg| {
        let help = arg.get_help().map(named);
        match help {
            Some(help) => arg.help(help),
            None => arg,
        }
    });
    match help {
        Some(help) => command.after_help(help),
        None => command,
    }
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
    use tenancy_config::CommandRef;

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

    /// Every command that a hint of any crate names, as it is typed.
    #[test]
    fn every_command_that_a_hint_names_exists_with_its_options() {
        let has_sessions = |command: &CommandRef| command.arguments()[0] != "jwt" || cfg!(feature = "jwt");
        for command in CommandRef::examples().into_iter().filter(has_sessions) {
            let arguments = [vec!["xtask".to_owned()], command.arguments()].concat();
            let read = parse(arguments.into_iter().map(Into::into));
            assert!(read.is_ok(), "{command}: {}", read.unwrap_err());
        }
    }

    #[test]
    fn the_installed_program_names_itself_in_its_help() {
        fn check(command: &Definition) {
            let help = command.clone().render_long_help().to_string();
            assert!(!help.contains("cargo xtask"), "`{}`: {help}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        let name = program::INSTALLED;
        let mut definition = named_as(Cli::command().name(name).bin_name(name), name);
        definition.build();
        check(&definition);
        let audit = definition.find_subcommand("audit").unwrap().get_after_help().unwrap().to_string();
        assert!(audit.contains("\n  rowfence audit --tables"), "{audit}");
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
