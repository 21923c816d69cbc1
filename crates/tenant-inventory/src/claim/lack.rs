//! The parts of the rollout that a table can lack.

use std::fmt;

use serde::Serialize;

/// A part of the rollout that a table lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "lack", rename_all = "snake_case")]
pub enum Lack {
    /// There is no isolation policy of ours, it was altered, or it has another form than `tenancy.toml` asks for.
    IsolationPolicy,
    /// The policies of the roles that audit and fill are missing, or were altered.
    RolePolicies,
    /// No valid index leads with the tenant column.
    Index,
    /// The tenant column's default is not the tenant of the session.
    Default {
        /// The default that it has.
        found: Option<String>,
    },
    /// No valid foreign key of the tenant column leads to the tenant table.
    ForeignKey,
    /// No constraint proves that each row has a tenant.
    NotNull,
    /// FORCE ROW LEVEL SECURITY is off: no policy filters the owner.
    Force,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsolationPolicy => {
                f.write_str("the isolation policy is missing, altered, or not the one that tenancy.toml asks for")
            }
            Self::RolePolicies => f.write_str("the policies for audits and backfills are missing or altered"),
            Self::Index => f.write_str("no index leads with the tenant column"),
            Self::Default { found: None } => f.write_str("the tenant column has no default"),
            Self::Default { found: Some(found) } => {
                write!(f, "the default of the tenant column is not the session's tenant: {found}")
            }
            Self::ForeignKey => f.write_str("no valid foreign key leads to the tenant table"),
            Self::NotNull => f.write_str("no constraint proves that each row has a tenant"),
            Self::Force => f.write_str("FORCE ROW LEVEL SECURITY is off"),
        }
    }
}
