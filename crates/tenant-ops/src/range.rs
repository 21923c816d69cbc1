//! Ranges: a pass over a table is divided into them, and each has a checkpoint of its own.

use sqlx::PgConnection;
use tenant_rls::Error as RlsError;
use tenant_rls::row_count::to_bigint;

/// A range of pages that is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRange {
    /// The table or leaf, as `schema.table`.
    pub leaf: String,
    /// Its first page.
    pub first: u64,
    /// The page behind its last.
    pub behind: u64,
}

/// A range that this transaction has locked.
#[derive(Debug, Clone)]
pub struct Range {
    /// Its number.
    pub id: i64,
    /// The table or leaf, as `schema.table`.
    pub leaf: String,
    /// Its checkpoint, as PostgreSQL prints a tid: `(page,offset)`.
    pub next: String,
    /// The first tid behind it.
    pub until: String,
}

/// Gives a run its ranges, unless it has some.
pub(crate) async fn open_ranges(connection: &mut PgConnection, run: i64, ranges: &[NewRange]) -> Result<(), RlsError> {
    sqlx::query(include_str!("../../../sql/tenant-ops/open_ranges.sql"))
        .bind(run)
        .bind(ranges.iter().map(|range| range.leaf.as_str()).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| to_bigint(range.first)).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| to_bigint(range.behind)).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map_err(RlsError::query("dividing the table into ranges"))?;
    Ok(())
}
