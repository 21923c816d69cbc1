//! Strings and keys as TOML writes them.

use std::fmt::Write;

/// Strings between commas.
pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| string(name)).collect::<Vec<_>>().join(", ")
}

/// A key, in quotes if it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { string(name) }
}

/// A basic string in TOML.
pub(super) fn string(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
