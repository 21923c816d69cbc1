//! Identifiers: one exact name, or a table in a schema. Only `tenant-rls` quotes them into SQL.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::hint::Hint;
use crate::quoted_urls::without_urls;
use crate::user_error::{Exit, UserError};

/// The longest identifier that PostgreSQL keeps whole, in bytes (`NAMEDATALEN - 1`).
const LONGEST: usize = 63;

/// A name that PostgreSQL cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of a table, column or role: {why}")]
pub struct NameError {
    /// The name as given.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl UserError for NameError {
    fn hint(&self) -> Option<Hint> {
        None
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The role between one of ours and the logins that act as it, up to PostgreSQL 15, where a membership cannot say that it is not inherited;
/// none if PostgreSQL could not hold the name of the role itself. Of a long name it has the beginning, and a hash of the whole.
pub fn operators_of(role: &str) -> Option<Ident> {
    const SUFFIX: &str = "_operators";
    let role = Ident::new(role).ok()?;
    if let Ok(whole) = Ident::new(format!("{role}{SUFFIX}")) {
        return Some(whole);
    }
    let ending = format!("_{:08x}{SUFFIX}", hash(role.as_str()));
    let mut begin = role.as_str();
    while begin.len() + ending.len() > LONGEST {
        begin = begin.char_indices().next_back().map_or("", |(at, _)| &begin[..at]);
    }
    Ident::new(format!("{begin}{ending}")).ok()
}

/// FNV-1a: the same in each version and on each machine.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// One exact, case-sensitive identifier: `tenantId` is not `tenantid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// Takes a name as `pg_catalog` has it, without quotes.
    ///
    /// # Errors
    /// [`NameError`]: PostgreSQL could not hold the name unchanged, because it is empty, longer than 63 bytes, or
    /// contains a NUL.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        let why = if name.is_empty() {
            "it is empty"
        } else if name.len() > LONGEST {
            "it is longer than 63 bytes, which PostgreSQL would cut off"
        } else if name.contains('\0') {
            "it holds a NUL character"
        } else {
            return Ok(Self(name));
        };
        Err(NameError { name: without_urls(&name), why })
    }

    /// The name, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Ident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A table in its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    schema: Ident,
    name: Ident,
}

impl TableName {
    /// Makes the name of a table.
    pub fn new(schema: Ident, name: Ident) -> Self {
        Self { schema, name }
    }

    /// Reads `table` or `schema.table`, as people write it on the command line and in `tenancy.toml`. A table whose own
    /// name contains a dot must be written with its schema.
    ///
    /// # Errors
    /// [`NameError`]: PostgreSQL could not hold one of the two names unchanged.
    pub fn parse(text: &str, default_schema: &str) -> Result<Self, NameError> {
        let (schema, name) = text.split_once('.').unwrap_or((default_schema, text));
        Ok(Self { schema: Ident::new(schema)?, name: Ident::new(name)? })
    }

    /// Splits tables into their schemas and their names, in the same order: the two arrays in which a statement takes
    /// several tables.
    pub fn apart<'a>(tables: impl IntoIterator<Item = &'a Self>) -> (Vec<&'a str>, Vec<&'a str>) {
        tables.into_iter().map(|table| (table.schema.as_str(), table.name.as_str())).unzip()
    }

    /// The schema.
    pub fn schema(&self) -> &Ident {
        &self.schema
    }

    /// The table's own name.
    pub fn name(&self) -> &Ident {
        &self.name
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl Serialize for TableName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_postgresql_would_cut_is_refused() {
        assert!(Ident::new("x".repeat(63)).is_ok());
        assert!(Ident::new("x".repeat(64)).is_err());
        assert!(Ident::new("").is_err());
        assert!(Ident::new("a\0b").is_err());
    }

    #[test]
    fn the_role_between_fits_and_differs_for_each_role() {
        let between = |role: &str| operators_of(role).unwrap().to_string();
        assert_eq!(between("tenant_auditor"), "tenant_auditor_operators");
        assert_eq!(between(&"x".repeat(53)), "x".repeat(53) + "_operators");
        for length in 54..=63 {
            let [a, b] = ["a", "b"].map(|last| between(&("é".repeat(26) + &"x".repeat(length - 53) + last)));
            assert!(a.len() <= LONGEST && a.ends_with("_operators") && a != b, "{a}, {b}");
            assert_ne!(between(&"x".repeat(length)), between(&"x".repeat(length - 1)));
        }
        // It must stay the same: the role is there by this name.
        assert_eq!(between(&"x".repeat(60)), format!("{}_37d12e35_operators", "x".repeat(44)));
        assert_eq!(operators_of(&"x".repeat(64)), None);
    }

    #[test]
    fn a_table_without_a_schema_gets_the_default_one() {
        assert_eq!(TableName::parse("bookings", "public").unwrap().to_string(), "public.bookings");
        assert_eq!(TableName::parse("crm.bookings", "public").unwrap().to_string(), "crm.bookings");
    }
}
