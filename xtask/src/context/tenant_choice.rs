//! Which tenant a command acts for: the flag, else the variables that the command names. Only commands that seed a tenant or
//! mint a session read them: elsewhere a forgotten variable could silently narrow a repair.

use tenancy_config::Settings;

use crate::terminal::printer::Printer;

/// The id or slug to act for, if anything names one. That a variable decided is said, as nobody typed it.
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
