//! The command reference, `docs/commands.md`, written from the definition of the command line.

pub(crate) mod exit_codes;
pub(crate) mod overview;

use clap::builder::PossibleValue;
use clap::{Arg, Command as Definition};

use tenancy_config::program;

use crate::context::server_options::HEADING;

/// The whole page.
pub(crate) fn markdown(mut definition: Definition) -> String {
    definition.build();
    let mut out = String::from(
        "# Commands\n\n<!-- Written by `cargo xtask reference --output docs/commands.md`; a test checks that it is current. -->\n\n",
    );
    out.push_str(&format!("```text\n{}```\n", overview::page(&definition)));
    out.push_str("\n## Options of every command\n\n");
    options(&definition, Arg::is_global_set, &mut out);
    out.push_str(&format!("## Exit status\n\n```text\n{}```\n", overview::exit_status()));
    out.push_str("\nWhat `--format json` writes stands in [json.md](json.md).\n");
    for command in visible(&definition) {
        section(command, 2, &mut out);
    }
    out
}

fn visible(definition: &Definition) -> impl Iterator<Item = &Definition> {
    definition.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn section(command: &Definition, depth: usize, out: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    out.push_str(&format!("\n{} {}\n\n", "#".repeat(depth), name.trim_start_matches(program::name()).trim_start()));
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    out.push_str(&format!("{about}\n\n```text\n{}\n```\n\n", command.clone().render_usage()));
    options(command, |arg| !arg.is_global_set() || inherited_here(command, arg), out);
    if let Some(help) = command.get_after_help() {
        let help = help.to_string();
        for part in help.split("\n\n") {
            match part.split_once('\n').filter(|(title, _)| title.ends_with(':')) {
                Some((title, body)) => out.push_str(&format!("{title}\n\n```text\n{body}\n```\n\n")),
                None => out.push_str(&format!("{part}\n\n")),
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    for command in visible(command) {
        section(command, depth + 1, out);
    }
}

/// Whether it is an option that the commands of a group such as `db` share.
fn inherited_here(command: &Definition, arg: &Arg) -> bool {
    command.has_subcommands() && arg.get_help_heading() == Some(HEADING)
}

fn options(command: &Definition, which: impl Fn(&Arg) -> bool, out: &mut String) {
    let mut lines = Vec::new();
    for arg in command.get_arguments().filter(|arg| which(arg) && !arg.is_hide_set() && !is_built_in(arg)) {
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = if default.is_empty() || !arg.get_action().takes_values() {
            String::new()
        } else {
            format!(" Default: `{}`.", default.join(" "))
        };
        lines.push(format!(
            "| `{}` | {}.{default} |\n",
            spelled(arg),
            help.trim_end_matches('.').replace('\n', " ").replace('|', "\\|")
        ));
    }
    if !lines.is_empty() {
        out.push_str(&format!("| option | meaning |\n| --- | --- |\n{}\n", lines.concat()));
    }
}

fn is_built_in(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

/// `--format table\|json\|csv\|md\|html`, `-q, --quiet`, `TABLE`.
fn spelled(arg: &Arg) -> String {
    let mut names = Vec::new();
    if let Some(short) = arg.get_short() {
        names.push(format!("-{short}"));
    }
    if let Some(long) = arg.get_long() {
        names.push(format!("--{long}"));
    }
    let names = names.join(", ");
    let both = [names, value(arg)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    both.join(" ").replace('|', "\\|")
}

/// The values that it takes, or else their name.
fn value(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        return possible.iter().map(PossibleValue::get_name).collect::<Vec<_>>().join("|");
    }
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}
