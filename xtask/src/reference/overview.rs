//! The page of `cargo xtask` without a command: every command in its group, with the first line of its help.

use clap::Command as Definition;

use crate::commands;
use crate::reference::exit_codes;

/// The commands in groups.
fn commands() -> String {
    let groups = commands::by_group();
    let width = groups.values().flatten().map(|command| command.get_name().len()).max().unwrap_or(0);
    let mut out = String::new();
    for (group, commands) in groups {
        out.push_str(&format!("{}:\n", group.title()));
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            out.push_str(&format!("  {:width$}  {about}\n", command.get_name()));
        }
        out.push('\n');
    }
    out
}

/// The exit statuses and their meanings, a line each.
pub(crate) fn exit_status() -> String {
    exit_codes::MEANINGS.iter().map(|(status, meaning)| format!("  {status:>3}  {meaning}\n")).collect()
}

/// The page for `cargo xtask` without a command.
pub(crate) fn page(definition: &Definition) -> String {
    let about = definition.get_about().map(ToString::to_string).unwrap_or_default();
    format!(
        "{about}\n\nUsage: cargo xtask COMMAND [OPTIONS]\n\n{}`cargo xtask COMMAND --help` shows options and examples. New here? `cargo xtask demo`\n",
        commands()
    )
}

/// Puts the groups into `cargo xtask --help`.
pub(crate) fn into_help(definition: Definition) -> Definition {
    let template = format!(
        "{{about-with-newline}}\nUsage: cargo xtask COMMAND [OPTIONS]\n\n{}Options:\n{{options}}{{after-help}}",
        commands()
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

    use crate::command_line::Cli;

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
