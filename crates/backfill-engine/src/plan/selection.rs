//! Which rows a plan is about: those without a tenant, those whose tenant does not exist, or those with certain values.

use serde::Serialize;

/// The rows that a plan is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Their tenant column is NULL.
    WithoutTenant,
    /// It is NULL, or names a tenant that does not exist.
    WithoutOrGone,
    /// It is one of these values, none of which is the key of a tenant.
    Values(Vec<String>),
}

/// The rows that a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Rows without a tenant.
    WithoutTenant,
    /// Rows without a tenant, and rows whose tenant does not exist.
    WithoutOrGone,
    /// Rows with certain values that are no tenant's key.
    Values,
}

impl Selection {
    pub(crate) fn kind(&self) -> RowKind {
        match self {
            Self::WithoutTenant => RowKind::WithoutTenant,
            Self::WithoutOrGone => RowKind::WithoutOrGone,
            Self::Values(_) => RowKind::Values,
        }
    }

    /// Whether every row of it is without a tenant, so that the maintenance role may write it.
    pub(crate) fn only_without(&self) -> bool {
        *self == Self::WithoutTenant
    }
}
