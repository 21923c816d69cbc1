//! Statements with names that are known only at run time. The syntax is that of psql's variables, so that each file in
//! `sql/` also runs in psql with `\set`: `:"name"` is an identifier or a table, `:'name'` a literal, `:name` a
//! fragment. Values are never inserted this way; they are bind parameters.

use std::collections::BTreeMap;

use tenancy_config::{Ident, TableName};

use super::quote::Quoted;
use super::text::Sql;

#[derive(Debug, Clone)]
struct Variable {
    text: String,
    form: Form,
    used: bool,
    printed_elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Identifier,
    Literal,
    Fragment,
}

/// A statement from `sql/`, and the names to insert into it.
#[derive(Debug, Clone)]
pub struct Template {
    text: &'static str,
    variables: BTreeMap<String, Variable>,
}

impl Template {
    /// Takes the text of a statement file (`include_str!`).
    pub fn new(text: &'static str) -> Self {
        Self { text, variables: BTreeMap::new() }
    }

    /// Inserts an identifier at each `:"name"`.
    #[must_use]
    pub fn ident(self, name: &str, value: &Ident) -> Self {
        self.set(name, value.quoted(), Form::Identifier)
    }

    /// Inserts a table with its schema at each `:"name"`.
    #[must_use]
    pub fn table(self, name: &str, value: &TableName) -> Self {
        self.set(name, value.quoted(), Form::Identifier)
    }

    /// Inserts a quoted string at each `:'name'`. This is for DDL, which takes no bind parameters, and for statements
    /// that a function on the server executes with parameters of its own.
    #[must_use]
    pub fn literal(self, name: &str, value: &str) -> Self {
        self.set(name, quote_literal(value), Form::Literal)
    }

    /// Inserts SQL at each `:name`.
    #[must_use]
    pub fn fragment(self, name: &str, value: Sql) -> Self {
        let printed_elsewhere = value.is_printed_elsewhere();
        self.insert(
            name,
            Variable { text: value.as_str().to_owned(), form: Form::Fragment, used: false, printed_elsewhere },
        )
    }

    fn set(self, name: &str, text: String, form: Form) -> Self {
        self.insert(name, Variable { text, form, used: false, printed_elsewhere: false })
    }

    fn insert(mut self, name: &str, variable: Variable) -> Self {
        self.variables.insert(name.to_owned(), variable);
        self
    }

    /// The finished statement.
    ///
    /// # Panics
    /// If the file contains a variable that was not given, or a given one is not in the file. That is a bug in this
    /// repository; no input can cause it.
    pub fn build(mut self) -> Sql {
        let mut out = String::with_capacity(self.text.len() * 2);
        let mut rest = self.text;
        while let Some((before, kind, after)) = next_token(rest) {
            out.push_str(before);
            match kind {
                Token::Verbatim(text) => out.push_str(text),
                Token::Variable(name, form) => {
                    let variable = self.variables.get_mut(name).filter(|v| v.form == form);
                    let variable =
                        variable.unwrap_or_else(|| panic!("no {form:?} `{name}` was given for: {}", self.text));
                    variable.used = true;
                    out.push_str(&variable.text);
                }
            }
            rest = after;
        }
        out.push_str(rest);
        if let Some((name, _)) = self.variables.iter().find(|(_, v)| !v.used) {
            panic!("`{name}` does not stand in: {}", self.text);
        }
        Sql::of(out).with_printed(self.variables.values().any(|variable| variable.printed_elsewhere))
    }
}

enum Token<'a> {
    /// A comment, string or quoted identifier, in which nothing is replaced.
    Verbatim(&'a str),
    Variable(&'a str, Form),
}

/// Finds the next comment, string or variable in `text`. Returns it with the text before and after it.
fn next_token(text: &str) -> Option<(&str, Token<'_>, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let verbatim = if rest.starts_with("--") {
            Some(rest.find('\n').unwrap_or(rest.len()))
        } else if let Some(body) = rest.strip_prefix("$$") {
            Some(body.find("$$").map_or(rest.len(), |end| end + 4))
        } else if rest.starts_with('\'') || rest.starts_with('"') {
            Some(rest[1..].find(&rest[..1]).map_or(rest.len(), |end| end + 2))
        } else {
            None
        };
        if let Some(length) = verbatim {
            return Some((&text[..at], Token::Verbatim(&rest[..length]), &rest[length..]));
        }
        if rest.starts_with("::") {
            at += 2;
            continue;
        }
        if let Some(variable) = rest.strip_prefix(':')
            && let Some((name, form, after)) = variable_name(variable)
        {
            return Some((&text[..at], Token::Variable(name, form), after));
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    None
}

/// The name of a variable that follows a colon.
fn variable_name(text: &str) -> Option<(&str, Form, &str)> {
    for (quote, form) in [('"', Form::Identifier), ('\'', Form::Literal)] {
        if let Some(inner) = text.strip_prefix(quote) {
            let (name, after) = inner.split_once(quote)?;
            return Some((name, form, after));
        }
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0 && !text.as_bytes()[0].is_ascii_digit()).then(|| (&text[..end], Form::Fragment, &text[end..]))
}

/// A string literal that means the same with either value of `standard_conforming_strings`.
fn quote_literal(value: &str) -> String {
    let doubled = value.replace('\'', "''");
    if doubled.contains('\\') { format!(" E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ident(name: &str) -> Ident {
        Ident::new(name).unwrap()
    }

    #[test]
    fn names_are_quoted_and_casts_strings_and_comments_left_alone() {
        let sql = Template::new("SELECT :\"c\"::text, ':\"c\"', :'v', :f -- :\"c\"\nFROM :\"t\"")
            .ident("c", &ident("we\"ird"))
            .table("t", &TableName::new(ident("public"), ident("Tenant")))
            .literal("v", "it's")
            .fragment("f", Sql::from_static("1"))
            .build();
        assert_eq!(
            sql.as_str(),
            "SELECT \"we\"\"ird\"::text, ':\"c\"', 'it''s', 1 -- :\"c\"\nFROM \"public\".\"Tenant\""
        );
    }

    #[test]
    fn a_backslash_in_a_literal_is_escaped_explicitly() {
        assert_eq!(quote_literal(r"a\'b"), r" E'a\\''b'");
    }

    #[test]
    #[should_panic(expected = "no Identifier `missing`")]
    fn a_variable_that_was_not_given_is_a_bug() {
        Template::new("SELECT :\"missing\"").build();
    }

    #[test]
    #[should_panic(expected = "does not stand in")]
    fn a_variable_that_is_not_used_is_a_bug() {
        Template::new("SELECT 1").ident("unused", &ident("x")).build();
    }
}
