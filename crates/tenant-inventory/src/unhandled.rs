//! Why row level security of ours cannot protect a table with a tenant column. This is the one place that decides it: inventory, status, plan,
//! preflight and rollout report these values.

use std::fmt;

use serde::Serialize;
use tenancy_config::TableName;
use tenant_rls::TenantColumnType;

use crate::catalog::all_tables::{ColumnFacts, TableFacts};
use crate::unlinked::Unlinked;

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
