//! The rights that this login lacks for a rollout, as values.

use std::fmt;

use serde::Serialize;
use tenancy_config::{CommandRef, TableName};

/// A right without which a step would surely fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LackingRight {
    /// CREATE on a schema in which an index is missing.
    CreateInSchema {
        /// This login.
        login: String,
        /// The schema.
        schema: String,
    },
    /// The making of a role, or the right to act as it.
    ActAsRole {
        /// This login.
        login: String,
        /// The role.
        role: String,
        /// What a superuser may run instead of our command.
        statements: Vec<String>,
    },
    /// REFERENCES on the tenant table.
    ReferenceTenants {
        /// This login.
        login: String,
        /// The tenant table.
        table: TableName,
    },
    /// SELECT WITH GRANT OPTION on the key of the tenant table.
    GrantOnTenants {
        /// This login.
        login: String,
        /// The tenant table.
        table: TableName,
        /// Its key.
        key: String,
        /// The roles that are to read it.
        roles: Vec<String>,
    },
}

impl fmt::Display for LackingRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateInSchema { login, schema } => {
                write!(f, "{login} may not create indexes: it lacks CREATE on the schema {schema}")
            }
            Self::ActAsRole { login, role, statements } => write!(
                f,
                "{login} may neither make the role {role} nor let itself act as it; `{}` as a superuser does both, and so do these statements: {}",
                CommandRef::RlsSetup,
                statements.join("; ")
            ),
            Self::ReferenceTenants { login, table } => {
                write!(f, "{login} may not reference {table}: it lacks REFERENCES on it")
            }
            Self::GrantOnTenants { login, table, key, roles } => write!(
                f,
                "{login} may not let {} read {table}: it lacks SELECT WITH GRANT OPTION on its {key}",
                roles.join(" and ")
            ),
        }
    }
}
