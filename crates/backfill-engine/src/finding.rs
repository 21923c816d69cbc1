//! What a backfill finds in rows, sources and tables. Errors and reports carry these values.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

/// A row that the table refused to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// Its key.
    pub key: String,
    /// What the server said.
    pub error: String,
}

/// A tenant that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GhostTenant {
    /// The source that names it.
    pub source: String,
    /// The table of the source.
    pub table: TableName,
    /// Its id, which may be the empty string.
    pub tenant: String,
    /// Rows of that table that name it.
    pub rows: u64,
}

/// A source or a tie-breaker that is left out, as this database lacks a table of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AbsentSource {
    /// The source or the tie-breaker.
    pub name: String,
    /// The table.
    pub table: TableName,
    /// The table with the most similar name.
    pub closest: Option<String>,
}

impl fmt::Display for AbsentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is left out: this database has no table {}", self.name, self.table)?;
        self.closest.iter().try_for_each(|closest| write!(f, " (it has {closest})"))
    }
}

/// A trigger for UPDATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The function that it runs, with its schema.
    pub function: String,
    /// `before` or `after`.
    pub timing: String,
    /// It fires for each row; otherwise for each statement, of which a batch has one for each tenant.
    pub each_row: bool,
    /// When it is enabled, as in `pg_trigger.tgenabled`: O origin, D disabled, R replica, A always.
    pub enabled: String,
    /// It has a WHEN condition.
    pub conditional: bool,
    /// The function runs with the rights of its owner; otherwise with those of the role that writes.
    pub security_definer: bool,
    /// An update of the tenant column fires it.
    pub fires: bool,
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, function, timing, .. } = self;
        let each = if self.each_row { "row" } else { "statement" };
        let when = if self.conditional { ", where its WHEN holds" } else { "" };
        write!(f, "the trigger {name} fires {timing} each {each}{when}, and runs {function}")
    }
}

/// Triggers that would fire and that `tenancy.toml` does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTriggers {
    /// The table.
    pub table: TableName,
    /// The triggers, at least one.
    pub triggers: Vec<Trigger>,
    /// The key of the table's section in `tenancy.toml`.
    pub section: String,
    /// The triggers that are allowed already.
    pub allowed: Vec<String>,
    /// The role with whose rights they run, if it is not the login.
    pub acts_as: Option<String>,
}

impl fmt::Display for RefusedTriggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let triggers: Vec<String> = self.triggers.iter().map(ToString::to_string).collect();
        let triggers = triggers.join("; ");
        write!(f, "writing to {} would fire what tenancy.toml does not allow: {triggers}", self.table)
    }
}

impl RefusedTriggers {
    /// The line of `tenancy.toml` that allows them, and the rights that they may need.
    pub(crate) fn hint(&self) -> String {
        let names = self.allowed.iter().chain(self.triggers.iter().map(|trigger| &trigger.name));
        let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
        let rights = self.acts_as.as_ref().map_or(String::new(), |role| {
            format!(
                "; it runs with the rights of {role}: where it writes to other tables, that role needs rights on these"
            )
        });
        let (section, names) = (&self.section, names.join(", "));
        format!("where that is meant, tenancy.toml says so: [tables.{section}] allow_triggers = [{names}]{rights}")
    }
}

/// A rule that acts where rows are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// It acts instead of the statement; otherwise beside it.
    pub instead: bool,
    /// Its definition, as `pg_get_ruledef` prints it.
    pub definition: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beside = if self.instead { "instead of" } else { "beside" };
        write!(f, "the rule {} acts {beside} each such statement: {}", self.name, self.definition.replace('\n', " "))
    }
}

/// Rules that would act and that `tenancy.toml` does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRules {
    /// The table.
    pub table: TableName,
    /// The rules, at least one.
    pub rules: Vec<Rule>,
    /// The key of the table's section in `tenancy.toml`.
    pub section: String,
    /// The rules that are allowed already.
    pub allowed: Vec<String>,
}

impl fmt::Display for RefusedRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<String> = self.rules.iter().map(ToString::to_string).collect();
        write!(f, "writing to {} would do what tenancy.toml does not allow: {}", self.table, rules.join("; "))
    }
}

impl RefusedRules {
    /// The line of `tenancy.toml` that allows them.
    pub(crate) fn hint(&self) -> String {
        let names = self.allowed.iter().chain(self.rules.iter().map(|rule| &rule.name));
        let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
        format!(
            "where that is meant, tenancy.toml says so: [tables.{}] allow_rules = [{}]",
            self.section,
            names.join(", ")
        )
    }
}
