//! What `tenancy.toml` names and the database does not have.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

/// Something that `tenancy.toml` names and the database does not have as it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// Where it stands in the file, such as `tables.bookings.sources.client.table`.
    pub key: String,
    /// The name that stands there.
    pub name: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub what: AbsentObject,
    /// The most similar name that the database has.
    pub closest: Option<String>,
}

/// What the database does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "object", rename_all = "snake_case")]
pub enum AbsentObject {
    /// A schema.
    Schema,
    /// A role.
    Role,
    /// A table.
    Table,
    /// There is a view of this name. Rows and policies are those of tables.
    View,
    /// A column of a table.
    Column {
        /// The table.
        table: TableName,
    },
    /// No table has a column of one of these names.
    TenantColumns,
    /// A trigger of a table.
    Trigger {
        /// The table.
        table: TableName,
    },
    /// A rule ON UPDATE of a table.
    Rule {
        /// The table.
        table: TableName,
    },
    /// A policy of a table.
    Policy {
        /// The table.
        table: TableName,
    },
    /// A view, function, rule or trigger that was reviewed.
    Reviewed,
    /// The table has no tenant column, and the rule says none that would be read instead.
    TenantColumn {
        /// The table.
        table: TableName,
    },
    /// The policy of the table reads other session variables, or other claims in them.
    Variable {
        /// The table.
        table: TableName,
        /// The policy.
        policy: String,
        /// The settings that it reads.
        reads: Vec<String>,
    },
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, name, what, closest } = self;
        write!(f, "{key}: ")?;
        match what {
            AbsentObject::Schema => write!(f, "there is no schema `{name}`")?,
            AbsentObject::Role => write!(f, "there is no role `{name}`")?,
            AbsentObject::Table => write!(f, "there is no table `{name}`")?,
            AbsentObject::View => write!(f, "`{name}` is a view, and not a table")?,
            AbsentObject::Column { table } => write!(f, "{table} has no column `{name}`")?,
            AbsentObject::TenantColumns => write!(f, "no table has a column of these names: {name}")?,
            AbsentObject::Trigger { table } => write!(f, "{table} has no trigger `{name}`")?,
            AbsentObject::Rule { table } => write!(f, "{table} has no rule `{name}` for UPDATE")?,
            AbsentObject::Policy { table } => write!(f, "{table} has no policy `{name}`")?,
            AbsentObject::Reviewed => write!(f, "there is no view, function, rule or trigger `{name}`")?,
            AbsentObject::TenantColumn { table } => {
                write!(f, "{table} has no tenant column from which a tenant could be read ({name})")?;
            }
            AbsentObject::Variable { table, policy, reads } => {
                write!(f, "the policy \"{policy}\" of {table} reads {} and not `{name}`", reads.join(", "))?;
            }
        }
        match closest {
            Some(closest) => write!(f, "; did you mean `{closest}`?"),
            None => Ok(()),
        }
    }
}
