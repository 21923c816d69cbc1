//! Ranges: what a pass over a table is shared out into, each with a checkpoint of its own.

use sqlx::PgConnection;
use tenant_rls::Error as RlsError;
use tenant_rls::row_count::to_bigint;

/// A range of pages that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRange {
    /// The table or leaf, as `schema.table`.
    pub leaf: String,
    /// Its first page.
    pub first: u64,
    /// The page behind its last.
    pub behind: u64,
}

/// A lane that this transaction has locked.
#[derive(Debug, Clone)]
pub struct Range {
    /// Its number.
    pub id: i64,
    /// The table or leaf, as `schema.table`.
    pub leaf: String,
    /// Where it goes on, as PostgreSQL prints a tid: `(page,offset)`.
    pub next: String,
    /// The first tid behind it.
    pub until: String,
}

/// Gives a run its lanes, unless it has some.
pub(crate) async fn open_lanes(connection: &mut PgConnection, run: i64, lanes: &[NewRange]) -> Result<(), RlsError> {
    sqlx::query(include_str!("../../../sql/ops/open_lanes.sql"))
        .bind(run)
        .bind(lanes.iter().map(|lane| lane.leaf.as_str()).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| to_bigint(lane.first)).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| to_bigint(lane.behind)).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map_err(RlsError::query("sharing the table out into lanes"))?;
    Ok(())
}
