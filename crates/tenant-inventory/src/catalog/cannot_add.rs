//! Why a tenant column cannot be added to a table, or no key can keep it the parent's.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;

/// Why no tenant column can be added to a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum CannotAdd {
    /// The table itself cannot have one.
    Table {
        /// Why not, as a sentence.
        why: String,
    },
    /// No foreign key of one column leads to a table with a tenant column.
    NoParent,
    /// Several foreign keys lead to such tables, and nobody said which one counts.
    Several {
        /// The columns and the tables that they point to.
        ways: Vec<(String, String)>,
    },
    /// No foreign key of this column alone leads to the other table, or to any.
    NoForeignKey {
        /// The column.
        column: String,
        /// The table that was named.
        table: Option<TableName>,
    },
    /// The foreign key references another column than was said.
    OtherKey {
        /// What it references.
        references: String,
        /// What was said.
        key: String,
    },
    /// The other table has no tenant column itself.
    ParentHasNone {
        /// The other table.
        table: TableName,
    },
    /// Some rows of the other table are for everybody, or for the platform: what depends on them has no tenant.
    CommonRows {
        /// The other table.
        table: TableName,
    },
    /// The other table cannot be protected itself.
    Parent {
        /// The other table.
        table: TableName,
        /// Why not, as a sentence.
        why: String,
    },
}

impl CannotAdd {
    /// What to do about it. `table` is the one that was asked for.
    pub fn hint(&self, table: &TableName) -> Option<String> {
        match self {
            Self::Several { ways } => {
                let (column, other) = ways.first()?;
                Some(format!(
                    "say which one: --add-column {table}={column}, or in tenancy.toml [tables.{}] add_column = {{ through = \
                     \"{column}\", table = \"{other}\" }}",
                    table.name()
                ))
            }
            Self::ParentHasNone { table: parent } => Some(format!("add one there too: --add-column {parent},{table}")),
            Self::OtherKey { references, .. } => Some(format!("add_column has `key = \"{references}\"` then")),
            Self::NoParent | Self::NoForeignKey { .. } => {
                Some("give it a foreign key of one column to a table with a tenant column".to_owned())
            }
            Self::Table { .. } | Self::CommonRows { .. } | Self::Parent { .. } => None,
        }
    }
}

impl fmt::Display for CannotAdd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { why } => f.write_str(why),
            Self::NoParent => f.write_str("no foreign key of one column leads from it to a table with a tenant column"),
            Self::Several { ways } => {
                let ways: Vec<String> = ways.iter().map(|(column, table)| format!("{column} to {table}")).collect();
                write!(f, "several foreign keys lead from it to tables with a tenant column: {}", ways.join(", "))
            }
            Self::NoForeignKey { column, table: Some(table) } => {
                write!(f, "no foreign key of {column} alone leads from it to {table}")
            }
            Self::NoForeignKey { column, table: None } => {
                write!(f, "no foreign key of {column} alone leads from it to a table with a tenant column")
            }
            Self::OtherKey { references, key } => {
                write!(f, "its foreign key references {references} there, and not {key}")
            }
            Self::ParentHasNone { table } => write!(f, "its rows depend on {table}, which has no tenant column itself"),
            Self::CommonRows { table } => write!(
                f,
                "its rows depend on {table}, some rows of which are the platform's or everybody's: what depends on those has no tenant"
            ),
            Self::Parent { table, why } => write!(f, "its rows depend on {table}, which cannot be protected: {why}"),
        }
    }
}
