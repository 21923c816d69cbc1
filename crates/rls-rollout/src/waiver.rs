//! Why rows that reference another tenant's row did not stop a table.

use std::fmt;

use serde::Serialize;

/// Why rows were let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Waiver {
    /// `cross_tenant_references` in `tenancy.toml`.
    Declared {
        /// Rows that reference another tenant's row.
        rows: u64,
        /// The reason that was given.
        why: String,
    },
    /// `--allow-cross-tenant-references`.
    Option {
        /// Rows that reference another tenant's row.
        rows: u64,
    },
}

impl fmt::Display for Waiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = "rows that reference another tenant's row";
        match self {
            Self::Declared { rows, why } => write!(f, "{what}: {rows}, waived in tenancy.toml: {why}"),
            Self::Option { rows } => write!(f, "{what}: {rows}, waived by --allow-cross-tenant-references"),
        }
    }
}
