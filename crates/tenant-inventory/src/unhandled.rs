//! Why row level security of ours cannot protect a table with a tenant column, or one that depends on such a table. This is the one place that
//! decides the former: inventory, status, plan, preflight and rollout report these values.

use std::fmt;

use serde::Serialize;
use tenancy_config::{TableName, why_and_cause};
use tenant_rls::TenantColumnType;

use crate::catalog::all_tables::{ColumnFacts, TableFacts};

/// Why a table with a tenant column cannot be protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unhandled {
    /// It, a partition of it or a table that inherits from it belongs to a role that is not trusted. It is never read: that would run
    /// code of its owner.
    Stranger {
        /// The table that belongs to that role.
        table: TableName,
        /// The role.
        owner: String,
    },
    /// Citus keeps its rows on several nodes.
    Distributed,
    /// Its rows are on another server, where our policies do not reach.
    Foreign,
    /// Rows of one of its partitions are on another server.
    ForeignPartition {
        /// The partition.
        partition: TableName,
    },
    /// It inherits from a table that is not partitioned, or such a table inherits from it. Policies of one do not protect the other.
    Inherits,
    /// The server computes the tenant column, so it cannot be given a tenant.
    Generated,
    /// The server numbers the tenant column, so it cannot be given a tenant.
    Identity,
    /// The tenant column has a type that policies of ours do not compare.
    Type {
        /// The type, as `format_type` prints it.
        #[serde(rename = "type")]
        type_name: String,
    },
    /// The tenant column and the key of the tenant table are compared only with a cast.
    TypesDiffer {
        /// The type of the tenant column.
        column: String,
        /// The type of the tenant table's key.
        key: String,
    },
    /// Nothing makes the key of the tenant table unique, so no foreign key can reference it.
    KeyNotUnique {
        /// The tenant table.
        table: TableName,
        /// Its key.
        key: String,
    },
    /// It is declared to depend on another table, and cannot be protected through that.
    Through {
        /// Why not.
        why: Unlinked,
    },
    /// This login may not change the definition of it or of one of its partitions. Only who changes definitions is told so.
    OtherOwner {
        /// The table or the partition.
        table: TableName,
        /// Its owner.
        owner: String,
    },
}

/// Why `through` in `tenancy.toml` does not protect a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unlinked {
    /// The table itself cannot be protected.
    Table {
        /// Why not.
        #[serde(flatten, serialize_with = "why_and_cause")]
        cause: Box<Unhandled>,
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
        /// Why not.
        #[serde(flatten, serialize_with = "why_and_cause")]
        cause: Box<Unhandled>,
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

impl Unhandled {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Stranger { table, owner } => Some(format!(
                "find out who made {table}: give it another owner, or drop it; where {owner} is to be relied on, tenancy.toml says so: \
                 [database] owners = [\"{owner}\"]"
            )),
            Self::TypesDiffer { key, .. } => Some(format!("give the tenant column the type {key}")),
            Self::KeyNotUnique { table, key } => Some(format!("make {key} the primary key of {table}")),
            Self::Inherits => Some("make the tables partitions of one".to_owned()),
            Self::Through { why } => why.hint(),
            Self::OtherOwner { owner, .. } => Some(format!("run it as a member of {owner}")),
            _ => None,
        }
    }
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger { table, owner } => write!(
                f,
                "{table} belongs to {owner}, a role that is not trusted; reading it would run code that its owner put into it"
            ),
            Self::Distributed => f.write_str("Citus keeps its rows on several nodes"),
            Self::Foreign => f.write_str("its rows are on another server, where our policies do not reach"),
            Self::ForeignPartition { partition } => {
                write!(f, "the rows of its partition {partition} are on another server, where our policies do not reach")
            }
            Self::Inherits => f.write_str(
                "it takes part in table inheritance: a policy on a parent does not protect its children; make them partitions",
            ),
            Self::Generated => f.write_str("the server computes its tenant column, so it cannot be given a tenant"),
            Self::Identity => f.write_str("the server numbers its tenant column, so it cannot be given a tenant"),
            Self::Type { type_name } => write!(
                f,
                "its tenant column has the type {type_name}; text, varchar, uuid, integer and bigint are handled"
            ),
            Self::TypesDiffer { column, key } => {
                write!(f, "its tenant column has the type {column}, and the key of the tenant table has the type {key}")
            }
            Self::KeyNotUnique { table, key } => {
                write!(f, "{key} of the tenant table {table} is not unique, so no foreign key can reference it")
            }
            Self::Through { why } => why.fmt(f),
            Self::OtherOwner { table, owner } => {
                write!(f, "{table} belongs to {owner}, and this login may not change its definition")
            }
        }
    }
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
            Self::Table { cause } => cause.fmt(f),
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
            Self::Parent { table, cause } => {
                write!(f, "{table}, on which its rows hang, cannot be protected: {cause}")
            }
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

/// Why a table cannot be protected, if so. `registry` is the tenant table with its key, where both are there.
pub(crate) fn unhandled(
    table: &TableFacts,
    column: &ColumnFacts,
    registry: Option<(&TableName, &ColumnFacts)>,
) -> Option<Unhandled> {
    if let Some(why) = unhandled_table(table) {
        return Some(why);
    }
    if column.generated {
        return Some(Unhandled::Generated);
    }
    if column.identity {
        return Some(Unhandled::Identity);
    }
    let Some(of_column) = TenantColumnType::of(&column.type_name) else {
        return Some(Unhandled::Type { type_name: column.type_name.clone() });
    };
    let (registry, key) = registry?;
    let same = TenantColumnType::of(&key.type_name).is_some_and(|of_key| of_key.family() == of_column.family());
    if !same {
        return Some(Unhandled::TypesDiffer { column: column.type_name.clone(), key: key.type_name.clone() });
    }
    (!key.unique).then(|| Unhandled::KeyNotUnique { table: registry.clone(), key: key.name.clone() })
}

/// Why a table cannot be protected, whatever its columns are.
pub(crate) fn unhandled_table(table: &TableFacts) -> Option<Unhandled> {
    // First, as nothing of such a table is to be read.
    if let Some(stranger) = &table.stranger {
        return Some(Unhandled::Stranger { table: stranger.table.clone(), owner: stranger.owner.clone() });
    }
    if table.distributed {
        return Some(Unhandled::Distributed);
    }
    if table.foreign {
        return Some(Unhandled::Foreign);
    }
    if let Some(partition) = &table.foreign_partition {
        return Some(Unhandled::ForeignPartition { partition: partition.clone() });
    }
    if table.inherits {
        return Some(Unhandled::Inherits);
    }
    None
}
