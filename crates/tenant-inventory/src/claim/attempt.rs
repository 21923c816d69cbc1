//! What is tried on a table.

use std::fmt;

use serde::Serialize;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// A tenant sees its own rows.
    ReadOwn,
    /// A tenant sees no other tenant's rows.
    ReadOther,
    /// Where no tenant is set, no tenant's rows are seen.
    ReadUnset,
    /// Where the tenant is empty, no tenant's rows are seen.
    ReadEmpty,
    /// A tenant that does not exist sees no tenant's rows.
    ReadUnknown,
    /// Rows of the platform are seen where no tenant is set, in tables that are declared to have them.
    ReadPlatform,
    /// A tenant inserts a row of its own.
    InsertOwn,
    /// A tenant inserts no row of another tenant.
    InsertOther,
    /// Where no tenant is set, no tenant's row is inserted.
    InsertUnset,
    /// A tenant changes a row of its own.
    UpdateOwn,
    /// A tenant gives no row to another tenant.
    UpdateAway,
    /// A tenant changes no other tenant's row.
    UpdateOther,
    /// An UPDATE without a condition changes no row of others. Policies for reading do not hold for such a statement.
    UpdateUnqualified,
    /// A tenant deletes a row of its own.
    DeleteOwn,
    /// A tenant deletes no other tenant's row.
    DeleteOther,
    /// A DELETE without a condition deletes no row of others. Policies for reading do not hold for such a statement.
    DeleteUnqualified,
    /// A tenant writes no row without a tenant: it inserts none, gives none away to nobody, and changes and deletes none of the platform's.
    WriteWithoutTenant,
}

impl AttemptKind {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 17] = [
        Self::ReadOwn,
        Self::ReadOther,
        Self::ReadUnset,
        Self::ReadEmpty,
        Self::ReadUnknown,
        Self::ReadPlatform,
        Self::InsertOwn,
        Self::InsertOther,
        Self::InsertUnset,
        Self::UpdateOwn,
        Self::UpdateAway,
        Self::UpdateOther,
        Self::UpdateUnqualified,
        Self::DeleteOwn,
        Self::DeleteOther,
        Self::DeleteUnqualified,
        Self::WriteWithoutTenant,
    ];

    /// Those that a claim about a table needs: all but what only tables with rows of the platform have.
    pub fn required() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|what| *what != Self::ReadPlatform)
    }

    /// Whether the attempt writes.
    pub fn writes(self) -> bool {
        !matches!(
            self,
            Self::ReadOwn
                | Self::ReadOther
                | Self::ReadUnset
                | Self::ReadEmpty
                | Self::ReadUnknown
                | Self::ReadPlatform
        )
    }
}

impl fmt::Display for AttemptKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ReadOwn => "reading own rows",
            Self::ReadOther => "reading another tenant's rows",
            Self::ReadUnset => "reading where no tenant is set",
            Self::ReadEmpty => "reading where the tenant is empty",
            Self::ReadUnknown => "reading as a tenant that does not exist",
            Self::ReadPlatform => "reading the platform's rows where no tenant is set",
            Self::InsertOwn => "inserting an own row",
            Self::InsertOther => "inserting a row of another tenant",
            Self::InsertUnset => "inserting where no tenant is set",
            Self::UpdateOwn => "changing an own row",
            Self::UpdateAway => "giving an own row to another tenant",
            Self::UpdateOther => "changing another tenant's row",
            Self::UpdateUnqualified => "changing rows without a condition",
            Self::DeleteOwn => "deleting an own row",
            Self::DeleteOther => "deleting another tenant's row",
            Self::DeleteUnqualified => "deleting rows without a condition",
            Self::WriteWithoutTenant => "writing a row without a tenant",
        })
    }
}
