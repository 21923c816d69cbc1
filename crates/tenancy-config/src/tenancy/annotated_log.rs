//! The section `[log]` of the commented `tenancy.toml`.

use std::fmt::Write;

use super::log::LogSection;
use super::toml_text::string;

/// Writes the section.
pub(super) fn write_log(out: &mut String, log: &LogSection) -> std::fmt::Result {
    writeln!(
        out,
        "# The log of the application, one JSON object a line: the names of its fields. `context` is the object with the"
    )?;
    writeln!(out, "# fields below it; they are also found beside the message.")?;
    writeln!(out, "[log]")?;
    for (key, name) in log.fields() {
        writeln!(out, "{key} = {}", string(name))?;
    }
    writeln!(
        out,
        "\n# How the messages of each kind begin, for `tenant-log`; `traffic` counts the requests that were served."
    )?;
    if log.messages.lists().iter().all(|(_, messages)| messages.is_empty()) {
        writeln!(out, "# Nobody has said how those of this application begin.")?;
    }
    writeln!(out, "[log.messages]")?;
    for (kind, messages) in log.messages.lists() {
        write_lines(out, kind, messages)?;
    }
    writeln!(out)
}

fn write_lines(out: &mut String, key: &str, texts: &[String]) -> std::fmt::Result {
    if texts.is_empty() {
        return writeln!(out, "{key} = []");
    }
    let lines: String = texts.iter().map(|text| format!("    {},\n", string(text))).collect();
    writeln!(out, "{key} = [\n{lines}]")
}
