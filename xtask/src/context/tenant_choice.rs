//! The tenant that a command acts for: the flag, or else the variables that the command names. Only commands that seed a tenant or
//! mint a session read them; in other commands a forgotten variable could silently narrow a repair.

use tenancy_config::Settings;

use crate::terminal::printer::Printer;

/// The id or slug, if there is one. It prints a line if a variable decided, as the user did not type that name.
pub(crate) fn choose(
    printer: &Printer,
    settings: &Settings,
    flag: Option<String>,
    variables: &[&str],
) -> Option<String> {
    flag.or_else(|| {
        let set = variables.iter().filter_map(|name| settings.env(name));
        let (name, origin) = set.into_iter().find(|(name, _)| !name.trim().is_empty())?;
        printer.line(&format!("tenant {name} (from {origin})"));
        Some(name)
    })
}
