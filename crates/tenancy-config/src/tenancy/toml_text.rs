//! Strings and keys as TOML writes them.

use std::fmt::Write;

use crate::plain::is_unseen;

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
            // Also what is not seen: whoever reads the file is to see which name that is.
            c if is_unseen(c) => {
                let _ = match u32::from(c) {
                    short @ ..=0xFFFF => write!(out, "\\u{short:04X}"),
                    long => write!(out, "\\U{long:08X}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
