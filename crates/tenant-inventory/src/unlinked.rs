//! Why a table cannot be protected through the table that it is declared to depend on.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenancy_config::tenancy::ThroughRule;
use tenant_rls::TenantColumnType;

use crate::catalog::all_tables::{KeyFacts, TableFacts};

/// Why `through` in `tenancy.toml` does not protect a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unlinked {
    /// The table itself cannot be protected.
    Table {
        /// Why not, as a sentence.
        why: String,
    },
    /// The other table is not there.
    NoParent {
        /// Its name in `tenancy.toml`.
        table: String,
    },
    /// The table has no such column.
    NoColumn {
        /// The column.
        column: String,
    },
    /// The other table is one whose rows depend on a third one.
    Chain {
        /// The other table.
        table: TableName,
    },
    /// Some rows of the other table are for everybody, or for the platform: nothing says so of the rows that depend on them.
    CommonRows {
        /// The other table.
        table: TableName,
    },
    /// The other table has no tenant column.
    NoTenants {
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
    /// No foreign key of this column alone references the other table, or it references another column.
    NoForeignKey {
        /// The column.
        column: String,
        /// The other table.
        table: TableName,
    },
    /// The foreign key is not proven, so that rows may point to nothing.
    KeyNotValid {
        /// The column.
        column: String,
        /// The other table.
        table: TableName,
    },
    /// The column may be NULL, and such a row depends on nothing.
    MayBeNull {
        /// The column.
        column: String,
    },
    /// The column and the key that it references have types that policies of ours do not compare.
    Types {
        /// The type of the column.
        column: String,
        /// The type of the key.
        key: String,
    },
}

/// What a class is that something may depend on.
pub(crate) enum ParentClass {
    Tenant,
    HasCommonRows,
    Through,
    Unhandled(String),
    NoTenants,
}

impl Unlinked {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Chain { .. } | Self::CommonRows { .. } => Some(
                "give the table a tenant column of its own, which a backfill fills through the other table".to_owned(),
            ),
            Self::NoForeignKey { column, table } => {
                Some(format!("reference {table} by a foreign key of {column} alone"))
            }
            Self::KeyNotValid { .. } => Some("validate it: ALTER TABLE … VALIDATE CONSTRAINT …".to_owned()),
            Self::MayBeNull { column } => Some(format!(
                "find the rows whose {column} is NULL a row to depend on, then ALTER TABLE … ALTER COLUMN … SET NOT NULL; or give the table a \
                 tenant column of its own"
            )),
            Self::Table { .. }
            | Self::Parent { .. }
            | Self::NoParent { .. }
            | Self::NoColumn { .. }
            | Self::NoTenants { .. }
            | Self::Types { .. } => None,
        }
    }
}

impl fmt::Display for Unlinked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { why } => f.write_str(why),
            Self::NoParent { table } => {
                write!(f, "there is no table {table}, through which its rows are said to belong to tenants")
            }
            Self::NoColumn { column } => {
                write!(f, "it has no column {column}, by which its rows are said to depend on others")
            }
            Self::Chain { table } => {
                write!(f, "{table}, on which its rows hang, has no tenant column itself: chains are not handled")
            }
            Self::CommonRows { table } => write!(
                f,
                "{table}, on which its rows hang, has rows without a tenant on purpose: whose the rows are that depend on those, nothing says"
            ),
            Self::NoTenants { table } => write!(f, "{table}, on which its rows are said to hang, has no tenant column"),
            Self::Parent { table, why } => write!(f, "{table}, on which its rows hang, cannot be protected: {why}"),
            Self::NoForeignKey { column, table } => {
                write!(
                    f,
                    "no foreign key of {column} alone references {table} by the declared key: rows may point to nothing"
                )
            }
            Self::KeyNotValid { column, table } => {
                write!(f, "the foreign key of {column} to {table} is not valid: rows may point to nothing")
            }
            Self::MayBeNull { column } => write!(f, "{column} may be NULL, and a row without one depends on nothing"),
            Self::Types { column, key } => write!(
                f,
                "its column has the type {column} and points to one of the type {key}; text, varchar, uuid, integer and bigint are handled, \
                 where both are of one kind"
            ),
        }
    }
}

/// The table through which another one is protected, if it can be; `parent` is the table that `rule` names, where it is there.
pub(crate) fn unlinked<'a>(
    table: &TableFacts,
    rule: &ThroughRule,
    parent: Option<(&'a TableFacts, ParentClass)>,
) -> Result<&'a TableName, Unlinked> {
    let column = rule.column.clone();
    let Some((parent, of_parent)) = parent else { return Err(Unlinked::NoParent { table: rule.table.clone() }) };
    let name = || parent.name.clone();
    let Some(link) = table.columns.iter().find(|known| known.name == column) else {
        return Err(Unlinked::NoColumn { column });
    };
    match of_parent {
        ParentClass::Tenant => {}
        ParentClass::HasCommonRows => return Err(Unlinked::CommonRows { table: name() }),
        ParentClass::Through => return Err(Unlinked::Chain { table: name() }),
        ParentClass::Unhandled(why) => return Err(Unlinked::Parent { table: name(), why }),
        ParentClass::NoTenants => return Err(Unlinked::NoTenants { table: name() }),
    }
    let leads = |key: &&KeyFacts| {
        let declared = rule.key.as_ref().is_none_or(|declared| key.references == [declared.as_str()]);
        key.target == parent.name && key.columns == [column.as_str()] && declared
    };
    let Some(key) = table.foreign_keys.iter().filter(leads).max_by_key(|key| key.valid) else {
        return Err(Unlinked::NoForeignKey { column, table: name() });
    };
    if !key.valid {
        return Err(Unlinked::KeyNotValid { column, table: name() });
    }
    if !link.never_null {
        return Err(Unlinked::MayBeNull { column });
    }
    let referenced = parent.columns.iter().find(|known| key.references == [known.name.as_str()]);
    let referenced = referenced.map(|known| known.type_name.as_str()).unwrap_or_default();
    let family = |name: &str| TenantColumnType::of(name).map(TenantColumnType::family);
    if family(&link.type_name).is_none() || family(&link.type_name) != family(referenced) {
        return Err(Unlinked::Types { column: link.type_name.clone(), key: referenced.to_owned() });
    }
    Ok(&parent.name)
}
