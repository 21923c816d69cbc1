//! The list of commands: on a screen for `cargo xtask` without a command, and with a line for each in `cargo xtask --help`.

use clap::Command as Definition;
use tenancy_config::program;

use crate::commands::{self, Group};
use crate::reference::exit_codes;

/// The commands that people start with, in the order in which they need them.
const FIRST: [&str; 6] = ["demo", "doctor", "init", "audit", "backfill-bookings", "rls"];

/// The width of the first column of a list.
fn width<'a>(names: impl IntoIterator<Item = &'a str>) -> usize {
    names.into_iter().map(str::len).max().unwrap_or(0)
}

/// A line for each of these commands.
fn described<'a>(commands: impl IntoIterator<Item = &'a Definition>, width: usize) -> String {
    let line = |command: &Definition| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:width$}  {about}\n", command.get_name())
    };
    commands.into_iter().map(line).collect()
}

/// Every command in its group, with a line for each.
fn all_described() -> String {
    let groups = commands::by_group();
    let width = width(groups.values().flatten().map(Definition::get_name));
    let group =
        |(group, commands): (&Group, &Vec<Definition>)| format!("{}:\n{}\n", group.title(), described(commands, width));
    groups.iter().map(group).collect()
}

/// Every command in its group, with a line for each group.
fn all_named() -> String {
    let groups = commands::by_group();
    let width = width(groups.keys().map(|group| group.title()));
    let group = |(group, commands): (&Group, &Vec<Definition>)| {
        let names: Vec<_> = commands.iter().map(Definition::get_name).collect();
        format!("  {:width$}  {}\n", group.title(), names.join(", "))
    };
    groups.iter().map(group).collect()
}

/// The exit statuses and their meanings, a line each.
pub(crate) fn exit_status() -> String {
    exit_codes::MEANINGS.iter().map(|(status, meaning)| format!("  {status:>3}  {meaning}\n")).collect()
}

/// The page for `cargo xtask` without a command. It fits a terminal of 80 columns and 24 lines.
pub(crate) fn page(definition: &Definition) -> String {
    let about = definition.get_about().map(ToString::to_string).unwrap_or_default();
    let first = FIRST.iter().filter_map(|name| definition.find_subcommand(name));
    let name = program::name();
    format!(
        "{about}\n\nUsage: {name} COMMAND [OPTIONS]\n\nStart with:\n{}\nAll commands:\n{}\n\
         See `{name} --help` for all of them, `{name} COMMAND --help` for one.\n",
        described(first, width(FIRST)),
        all_named()
    )
}

/// Puts the groups into `cargo xtask --help`.
pub(crate) fn into_help(definition: Definition) -> Definition {
    let template = format!(
        "{{about-with-newline}}\nUsage: {} COMMAND [OPTIONS]\n\n{}Options:\n{{options}}{{after-help}}",
        program::name(),
        all_described()
    );
    let after = format!(
        "Exit status:\n{}\nExamples:\n  cargo xtask demo\n  cargo xtask doctor\n  cargo xtask audit --format json --output audit.json",
        exit_status()
    );
    definition.help_template(template).after_help(after).disable_help_subcommand(true)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::command_line::Cli;

    #[test]
    fn the_list_of_commands_fits_a_screen() {
        let page = page(&Cli::command());
        assert!(
            FIRST.iter().all(|name| page.contains(&format!("\n  {name} "))),
            "each of {FIRST:?} is a command: {page}"
        );
        let widest = page.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        // The prompt takes a line as well.
        assert!(page.lines().count() < 24 && widest <= 80, "{page}");
    }

    #[test]
    fn every_command_says_in_one_line_what_it_does() {
        for command in Cli::command().get_subcommands() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(
                !about.is_empty() && about.len() < 90 && !about.contains('\n'),
                "`{}`: {about:?}",
                command.get_name()
            );
        }
    }
}
