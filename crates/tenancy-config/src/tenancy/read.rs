//! Reads TOML into the model. The errors name the line and quote no value.

use std::path::Path;

use super::error::TenancyError;
use super::model::Tenancy;
use crate::quoted_urls::without_urls;

impl Tenancy {
    /// Reads the text of a `tenancy.toml`; `path` appears in messages only.
    ///
    /// # Errors
    /// [`TenancyError`]: the text is not TOML, a key is unknown, or PostgreSQL could not hold a value.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, TenancyError> {
        let tenancy = read(text, path)?.with_added_sources();
        tenancy.check().map_err(|(key, why)| TenancyError::Invalid {
            path: path.to_owned(),
            key: without_urls(&key),
            why: without_urls(&why),
        })?;
        Ok(tenancy)
    }
}

/// The same tenancy in another schema, for the tables that are named without one.
pub(crate) fn in_schema(mut tenancy: Tenancy, schema: &str, path: Option<&Path>) -> Result<Tenancy, TenancyError> {
    schema.clone_into(&mut tenancy.database.schema);
    let path = || path.unwrap_or(Path::new("tenancy.toml")).to_owned();
    // Two names may have become the same.
    tenancy.check().map_err(|(key, why)| TenancyError::Invalid { path: path(), key, why })?;
    Ok(tenancy)
}

fn read(text: &str, path: &Path) -> Result<Tenancy, TenancyError> {
    toml::from_str(text).map_err(|error| translate(text, path, &error))
}

/// Whether a text that [`read`] accepts has the key `database.schema`.
pub(crate) fn names_schema(text: &str) -> bool {
    let document: Result<toml::Table, _> = toml::from_str(text);
    document.is_ok_and(|document| document.get("database").and_then(|section| section.get("schema")).is_some())
}

fn translate(text: &str, path: &Path, error: &toml::de::Error) -> TenancyError {
    let path = path.to_owned();
    let line = line_at(text, error.span().map_or(0, |span| span.start));
    // serde has the keys only in its message: "unknown field `a`, expected one of `b`, `c`".
    if let Some(rest) = error.message().strip_prefix("unknown field `") {
        let mut names = rest.split('`').step_by(2).map(str::to_owned);
        let key = without_urls(&names.next().unwrap_or_default());
        return TenancyError::UnknownKey { path, line, key, known: names.collect() };
    }
    TenancyError::Syntax { path, line, message: without_urls(&without_value(error.message())) }
}

/// The line, counted from 1, with the byte at `offset`.
pub fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

/// Removes the value from "invalid type: string "…", expected …": it may be a URL that does not belong there.
fn without_value(message: &str) -> String {
    match (message.find('"'), message.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", message[..start].trim_end(), &message[end + 1..]),
        _ => message.to_owned(),
    }
}
