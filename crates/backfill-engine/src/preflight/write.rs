//! How rows of a table are written, on which it depends what triggers and rules do.

/// How rows of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// Rows that are there get another tenant.
    Update,
    /// Rows are made.
    Insert,
    /// Rows are deleted.
    Delete,
}
