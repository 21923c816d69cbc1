//! Why a line of a review was not applied, as values.

use std::fmt;

use serde::{Serialize, Serializer};
use tenancy_config::TableName;

/// Why a line was not applied, without what belongs to it: reports count by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The line cannot be read.
    Malformed,
    /// The line is about another table than the first decision of the file.
    OtherTable,
    /// Another line decides the same row.
    Duplicate,
    /// There is no such tenant, or the name is ambiguous.
    UnknownTenant,
    /// There is no such row.
    Gone,
    /// The row has a tenant now.
    Assigned,
    /// The row, or a row that it points to, has changed.
    Changed,
    /// Another transaction holds the row.
    Held,
    /// The table refused the row, by a unique key or a trigger.
    Table,
}

/// Why a line was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum RefusalCause {
    /// The line cannot be read.
    Malformed {
        /// What is wrong with it.
        fault: LineFault,
    },
    /// The line is about another table than the first decision of the file.
    OtherTable {
        /// The table that it names.
        table: String,
        /// The table of the first decision.
        first: TableName,
    },
    /// Another line decides the same row.
    Duplicate,
    /// There is no such tenant, or the name is ambiguous.
    UnknownTenant {
        /// What the search for it said.
        message: String,
    },
    /// The tenant was deleted after it had been found.
    TenantDeleted,
    /// There is no such row.
    Gone,
    /// The row has a tenant now.
    Assigned {
        /// The tenant; it may be the empty string.
        tenant: String,
    },
    /// The row, or a row that it points to, has changed.
    Changed,
    /// Another transaction holds the row.
    Held,
    /// The table refused the row, by a unique key or a trigger.
    Table {
        /// What the server said.
        message: String,
    },
}

/// What is wrong with a line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum LineFault {
    /// It is longer than a line may be.
    TooLong,
    /// A quote is not closed.
    OpenQuote,
    /// A carriage return stands outside of quotes.
    CarriageReturn,
    /// It is not UTF-8.
    NotUtf8,
    /// It has another number of cells than the header.
    Cells {
        /// Its cells.
        cells: usize,
        /// Those of the header.
        header: usize,
    },
    /// It has a decision, and a cell that a decision needs is empty.
    Empty {
        /// The column.
        column: &'static str,
    },
    /// It is no CSV.
    NoCsv {
        /// What the reader of CSV said.
        message: String,
    },
}

impl RefusalCause {
    /// Its kind.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::Malformed { .. } => RefusalKind::Malformed,
            Self::OtherTable { .. } => RefusalKind::OtherTable,
            Self::Duplicate => RefusalKind::Duplicate,
            Self::UnknownTenant { .. } | Self::TenantDeleted => RefusalKind::UnknownTenant,
            Self::Gone => RefusalKind::Gone,
            Self::Assigned { .. } => RefusalKind::Assigned,
            Self::Changed => RefusalKind::Changed,
            Self::Held => RefusalKind::Held,
            Self::Table { .. } => RefusalKind::Table,
        }
    }
}

impl fmt::Display for RefusalCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { fault } => fault.fmt(f),
            Self::OtherTable { table, first } => write!(f, "it is about {table}, and this file is about {first}"),
            Self::Duplicate => f.write_str("another line of this file decides the same row"),
            Self::TenantDeleted => f.write_str("the tenant was just deleted"),
            Self::Gone => f.write_str("there is no row with this id"),
            Self::Assigned { tenant } if tenant.is_empty() => f.write_str("the row has the empty string for a tenant"),
            Self::Assigned { tenant } => write!(f, "the row has the tenant `{tenant}` by now"),
            Self::Changed => f.write_str("the row, or one that it points to, has changed since the review was written"),
            Self::Held => f.write_str("another transaction holds the row; apply the line again"),
            Self::UnknownTenant { message } | Self::Table { message } => f.write_str(message),
        }
    }
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("it is longer than 1 MiB; its quote may not be closed"),
            Self::OpenQuote => f.write_str("its quote is not closed"),
            Self::CarriageReturn => f.write_str("it holds a carriage return outside of quotes"),
            Self::NotUtf8 => f.write_str("it is not UTF-8"),
            Self::Cells { cells, header } => write!(f, "it has {cells} cells, and the header has {header}"),
            Self::Empty { column } => write!(f, "its `{column}` is empty"),
            Self::NoCsv { message } => f.write_str(message),
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    kind: RefusalKind,
    reason: String,
    cause: &'a RefusalCause,
}

/// Writes a cause as its kind, its sentence and its fields. It is for fields with `#[serde(flatten)]`.
pub(super) fn kind_reason_and_cause<S: Serializer>(cause: &RefusalCause, serializer: S) -> Result<S::Ok, S::Error> {
    Told { kind: cause.kind(), reason: cause.to_string(), cause }.serialize(serializer)
}
