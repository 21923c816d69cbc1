//! The page of `cargo xtask` without a command: every command in its group, with the first line of its help.

use clap::Command as Definition;

use crate::reference::exit_codes;

/// The groups in the order in which a new user needs them. A test checks that each command is in exactly one.
const GROUPS: &[(&str, &[&str])] = &[
    ("Local database", &["db", "demo"]),
    ("Look", &["doctor", "audit"]),
    ("Backfill", &["backfill-bookings", "assign-chat-messages", "backfill"]),
    ("Row level security", &["rls"]),
    ("Tenants", &["seed-tenant-defaults"]),
    #[cfg(feature = "jwt")]
    ("Sessions", &["jwt"]),
    ("Project", &["init", "bench"]),
];

/// The commands in groups.
pub(crate) fn commands(definition: &Definition) -> String {
    let width = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (group, names) in GROUPS {
        out.push_str(&format!("{group}:\n"));
        for name in *names {
            let about = definition.find_subcommand(name).and_then(Definition::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            out.push_str(&format!("  {name:width$}  {about}\n"));
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
        commands(definition)
    )
}

/// Puts the groups into `cargo xtask --help`.
pub(crate) fn into_help(definition: Definition) -> Definition {
    let template = format!(
        "{{about-with-newline}}\nUsage: cargo xtask COMMAND [OPTIONS]\n\n{}Options:\n{{options}}{{after-help}}",
        commands(&definition)
    );
    let after = format!(
        "Exit status:\n{}\nExamples:\n  cargo xtask demo\n  cargo xtask doctor\n  cargo xtask audit --format json --output audit.json",
        exit_status()
    );
    definition.help_template(template).after_help(after).disable_help_subcommand(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_command_stands_in_exactly_one_group_and_no_group_names_another() {
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        listed.sort_unstable();
        let definition = Cli::command();
        let mut defined: Vec<&str> =
            definition.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Definition::get_name).collect();
        defined.sort_unstable();
        assert_eq!(listed, defined);
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
