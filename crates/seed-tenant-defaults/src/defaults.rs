//! `tenant-defaults.toml`: the rows that each tenant is given, read and checked as far as that is possible without a database.

use std::path::Path;

use serde_json::{Map, Value};
use tenancy_config::tenancy::line_at;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};

/// The key that says which column gets the organization's name.
const ORGANIZATION_NAME: &str = "organization_name";

/// The file of this repository.
const OWN: (&str, &str) = ("tenant-defaults.toml", include_str!("../../../tenant-defaults.toml"));

/// The rows that each tenant is given where it has none.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The file as messages name it.
    pub(crate) file: String,
    /// The table and the column that get the organization's name.
    pub(crate) organization_name: Option<(String, String)>,
    pub(crate) tables: Vec<DefaultRow>,
}

/// A section: one table's row.
#[derive(Debug, Clone)]
pub(crate) struct DefaultRow {
    pub(crate) table: String,
    pub(crate) line: usize,
    pub(crate) columns: Vec<DefaultValue>,
}

/// A key: one column's value.
#[derive(Debug, Clone)]
pub(crate) struct DefaultValue {
    pub(crate) column: String,
    pub(crate) line: usize,
    pub(crate) value: Value,
}

impl Default for Defaults {
    /// Those of this repository's `tenant-defaults.toml`, which is compiled in.
    fn default() -> Self {
        Self::from_toml(OWN.1, OWN.0).expect("a test reads the file of this repository")
    }
}

impl Defaults {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::DefaultsFile`] where it cannot be read; [`Error::Defaults`] with the line of what is wrong in it.
    pub fn read(path: &Path) -> Result<Self> {
        let cannot = |source| Error::DefaultsFile { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        Self::from_toml(&text, &path.display().to_string())
    }

    /// Reads the text of a file; `file` is for the messages.
    ///
    /// # Errors
    /// [`Error::Defaults`] with the line of what is wrong.
    pub fn from_toml(text: &str, file: &str) -> Result<Self> {
        let wrong = |offset, what| Error::defaults(file, line_at(text, offset), what, None);
        let syntax =
            |error: toml::de::Error| wrong(error.span().map_or(0, |span| span.start), error.message().to_owned());
        let document = DeTable::parse(text).map_err(syntax)?.into_inner();
        let (mut tables, mut place) = (Vec::new(), None);
        for (key, value) in &document {
            let (name, start) = (key.get_ref().as_ref(), key.span().start);
            match value.get_ref() {
                DeValue::Table(columns) => {
                    let columns = columns.iter().map(|(column, value)| {
                        let line = line_at(text, column.span().start);
                        let json = json(value.get_ref()).map_err(|what| wrong(value.span().start, what))?;
                        Ok(DefaultValue { column: column.get_ref().to_string(), line, value: json })
                    });
                    let columns = columns.collect::<Result<_>>()?;
                    tables.push(DefaultRow { table: name.to_owned(), line: line_at(text, start), columns });
                }
                DeValue::String(of) if name == ORGANIZATION_NAME => place = Some((of.to_string(), value.span().start)),
                _ => return Err(wrong(start, format!("`{name}` is neither a table nor `{ORGANIZATION_NAME}`"))),
            }
        }
        if tables.is_empty() {
            return Err(wrong(0, "it names no table".to_owned()));
        }
        let place = place.map(|(of, start)| named_column(&of, &tables).map_err(|what| wrong(start, what)));
        Ok(Self { file: file.to_owned(), organization_name: place.transpose()?, tables })
    }
}

/// The table and the column behind `table.column`, which must stand in the file with a name to fall back to.
fn named_column(of: &str, tables: &[DefaultRow]) -> Result<(String, String), String> {
    let (table, column) = of.rsplit_once('.').ok_or_else(|| format!("`{of}` is not written as table.column"))?;
    let value = tables.iter().filter(|row| row.table == table).flat_map(|row| &row.columns);
    match value.into_iter().find(|value| value.column == column).map(|value| &value.value) {
        Some(Value::String(name)) if !name.trim().is_empty() => Ok((table.to_owned(), column.to_owned())),
        Some(_) => Err(format!("`{of}` has no text to fall back to")),
        None => Err(format!("`{of}` stands nowhere in this file; the name of an organization needs a default there")),
    }
}

fn json(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_err(|error| format!("{digits}: {error}"))?.into()
        }
        DeValue::Float(number) => {
            let finite = number.as_str().replace('_', "").parse().ok().and_then(serde_json::Number::from_f64);
            Value::Number(finite.ok_or_else(|| format!("JSON has no number {}", number.as_str()))?)
        }
        DeValue::Boolean(yes) => Value::from(*yes),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| json(item.get_ref())).collect::<Result<_, _>>()?),
        DeValue::Table(entries) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Ok((key.to_string(), json(value.get_ref())?))
            };
            Value::Object(entries.iter().map(entry).collect::<Result<Map<_, _>, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_this_repository_says_what_the_application_expects() {
        let defaults = Defaults::default();
        let rows: Map<String, Value> = defaults
            .tables
            .into_iter()
            .map(|row| {
                let columns = row.columns.into_iter().map(|value| (value.column, value.value));
                (row.table, Value::Object(columns.collect()))
            })
            .collect();
        let expected = serde_json::json!({
            "organization_settings": { "name": "New Organization" },
            "security_settings": {
                "passwordPolicy": { "minLength": 12, "requireUppercase": true, "requireLowercase": true,
                                    "requireNumber": true, "requireSymbol": false, "rotationDays": 0 },
                "sessionSecurity": { "idleTimeoutMinutes": 30, "maxSessionDays": 30 },
                "twoFactor": { "enabled": false },
                "network": {},
                "dataProtection": { "retentionYears": 7 },
                "compliance": { "policies": [] },
            },
        });
        assert_eq!(Value::Object(rows), expected);
        assert_eq!(defaults.organization_name, Some(("organization_settings".into(), "name".into())));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let of = "organization_name = \"t.name\"\n";
        for (text, message) in [
            ("", "f:1: it names no table"),
            ("[t]\na = 1\na = 2\n", "f:3: duplicate key"),
            ("\nx = 1\n[t]\n", "f:2: `x` is neither a table nor `organization_name`"),
            ("[t]\na = nan\n", "f:2: JSON has no number nan"),
            (
                &format!("{of}[t]\n"),
                "f:1: `t.name` stands nowhere in this file; the name of an organization needs a default there",
            ),
            (&format!("{of}[t]\nname = 1\n"), "f:1: `t.name` has no text to fall back to"),
            ("organization_name = \"name\"\n[t]\n", "f:1: `name` is not written as table.column"),
        ] {
            assert_eq!(Defaults::from_toml(text, "f").unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn every_kind_of_value_becomes_json() {
        let text = "[t]\nhex = 0x1_0\nfloat = 1_0.5\nday = 2024-01-31\nlist = [{ a = \"b\" }, true]\n";
        let defaults = Defaults::from_toml(text, "f").unwrap();
        let values: Vec<String> = defaults.tables[0].columns.iter().map(|value| value.value.to_string()).collect();
        assert_eq!(values, ["\"2024-01-31\"", "10.5", "16", "[{\"a\":\"b\"},true]"]);
    }
}
