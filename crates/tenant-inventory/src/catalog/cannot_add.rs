//! Why a tenant column cannot be added to a table, or no key can keep it the parent's.

use std::fmt;

use serde::Serialize;
use tenancy_config::{TableName, why_and_cause};

use crate::unhandled::Unhandled;

/// Why no tenant column can be added to a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum CannotAdd {
    /// The table itself cannot have one.
    Table {
        /// Why not.
        #[serde(flatten, serialize_with = "why_and_cause")]
        cause: Box<NoTenantColumn>,
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
        /// Why not.
        #[serde(flatten, serialize_with = "why_and_cause")]
        cause: Box<Unhandled>,
    },
}

/// Why a table cannot have a tenant column, whatever it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoTenantColumn {
    /// Row level security of ours cannot protect it.
    Unhandled {
        /// Why not.
        why: Unhandled,
    },
    /// It is the tenant table.
    Registry,
    /// `tenancy.toml` says that its rows need no tenant.
    Exempt {
        /// The declared reason.
        why: String,
    },
    /// `tenancy.toml` says that its rows depend on those of another table.
    Through {
        /// The other table.
        table: TableName,
    },
    /// An extension made it.
    Extension {
        /// Its name.
        extension: String,
    },
    /// The tenant table is not there, or lacks its key.
    NoTenantKey,
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
            Self::Table { cause } => cause.fmt(f),
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
            Self::Parent { table, cause } => {
                write!(f, "its rows depend on {table}, which cannot be protected: {cause}")
            }
        }
    }
}

impl fmt::Display for NoTenantColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unhandled { why } => why.fmt(f),
            Self::Registry => f.write_str("it is the tenant table itself"),
            Self::Exempt { why } => write!(f, "tenancy.toml declares it exempt: {why}"),
            Self::Through { table } => write!(f, "tenancy.toml says that its rows depend on {table} (`through`)"),
            Self::Extension { extension } => write!(f, "the extension {extension} made it"),
            Self::NoTenantKey => f.write_str("the tenant table is not there, or lacks its key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cause_has_its_sentence_and_its_fields_in_json() {
        let table = || TableName::parse("t", "public").unwrap();
        let of = |cause: NoTenantColumn| {
            let sentence = cause.to_string();
            let why = CannotAdd::Table { cause: Box::new(cause) };
            assert_eq!(why.to_string(), sentence);
            let json = serde_json::to_value(why).unwrap();
            assert_eq!((&json["reason"], &json["why"]), (&json!("table"), &json!(sentence)));
            (sentence, json["cause"].clone())
        };
        let handled = of(NoTenantColumn::Unhandled { why: Unhandled::Foreign });
        assert_eq!(handled.1, json!({"reason": "unhandled", "why": {"reason": "foreign"}}));
        assert_eq!(handled.0, Unhandled::Foreign.to_string());
        for (cause, sentence, json) in [
            (NoTenantColumn::Registry, "it is the tenant table itself", json!({"reason": "registry"})),
            (
                NoTenantColumn::Exempt { why: "a list".to_owned() },
                "tenancy.toml declares it exempt: a list",
                json!({"reason": "exempt", "why": "a list"}),
            ),
            (
                NoTenantColumn::Through { table: table() },
                "tenancy.toml says that its rows depend on public.t (`through`)",
                json!({"reason": "through", "table": "public.t"}),
            ),
            (
                NoTenantColumn::Extension { extension: "postgis".to_owned() },
                "the extension postgis made it",
                json!({"reason": "extension", "extension": "postgis"}),
            ),
            (
                NoTenantColumn::NoTenantKey,
                "the tenant table is not there, or lacks its key",
                json!({"reason": "no_tenant_key"}),
            ),
        ] {
            assert_eq!(of(cause), (sentence.to_owned(), json));
        }
        let parent = CannotAdd::Parent { table: table(), cause: Box::new(Unhandled::Inherits) };
        let says = format!("its rows depend on public.t, which cannot be protected: {}", Unhandled::Inherits);
        assert_eq!(parent.to_string(), says);
        let why = Unhandled::Inherits.to_string();
        let expected = json!({"reason": "parent", "table": "public.t", "why": why, "cause": {"reason": "inherits"}});
        assert_eq!(serde_json::to_value(parent).unwrap(), expected);
    }
}
