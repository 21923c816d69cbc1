//! Quotes names into SQL. This happens nowhere else.

use tenancy_config::{Ident, TableName};

/// A name that can be written into a statement.
pub(crate) trait Quoted {
    /// The name, always in double quotes.
    fn quoted(&self) -> String;
}

impl Quoted for Ident {
    fn quoted(&self) -> String {
        format!("\"{}\"", self.as_str().replace('"', "\"\""))
    }
}

impl Quoted for TableName {
    fn quoted(&self) -> String {
        format!("{}.{}", self.schema().quoted(), self.name().quoted())
    }
}

/// A role in a statement that a hint proposes. What could be no name is left as it is.
pub fn quoted_role(role: &str) -> String {
    Ident::new(role).map_or_else(|_| role.to_owned(), |role| role.quoted())
}

/// A string as `pg_get_expr` prints it: a backslash means itself, as `standard_conforming_strings` is on.
pub(crate) fn printed_literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_name_is_doubled() {
        assert_eq!(Ident::new("We\"ird; DROP").unwrap().quoted(), "\"We\"\"ird; DROP\"");
    }
}
