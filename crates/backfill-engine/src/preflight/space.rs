//! The disk space that a run needs. SQL does not tell how much is free.

use std::fmt;

use serde::Serialize;
use sqlx::{PgConnection, Row};
use tenant_rls::Error as RlsError;

use crate::error::Result;
use crate::format::bytes;
use crate::plan::BackfillPlan;
use tenant_rls::row_count::from_bigint;

/// The bytes of a WAL record besides its data: a header, and a position for each page.
const RECORD: u64 = 64;

/// An estimate from the current size of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Space {
    /// Rows that are written.
    pub rows: u64,
    /// Indexes that get an entry for each row.
    pub indexes: u64,
    /// The most by which table and indexes grow, in bytes. Each row is written anew, and only a vacuum frees the old
    /// version. Free space in the table is not known.
    pub growth_bytes: u64,
    /// The WAL that is written, in bytes.
    pub wal_bytes: u64,
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = match self.indexes {
            0 => "the table".to_owned(),
            1 => "the table and its index".to_owned(),
            indexes => format!("the table and its {indexes} indexes"),
        };
        let (growth, wal) = (bytes(self.growth_bytes), bytes(self.wal_bytes));
        write!(
            f,
            "expect {table} to grow by up to {growth}, and about {wal} of WAL; SQL does not tell how much disk is free"
        )
    }
}

/// The current size of the table.
struct Table {
    heap: u64,
    indexes: u64,
    /// Live and dead rows.
    rows: f64,
    index_count: u64,
    full_pages: bool,
    page: u64,
    between_checkpoints: u64,
}

pub(super) async fn estimate(connection: &mut PgConnection, plan: &BackfillPlan, rows: u64) -> Result<Option<Space>> {
    let row = sqlx::query(include_str!("../../../../sql/backfill-engine/preflight_space.sql"))
        .bind(plan.table.schema().as_str())
        .bind(plan.table.name().as_str())
        .fetch_one(connection)
        .await
        .map_err(RlsError::query(format!("asking what {} takes", plan.table)))?;
    let table = Table {
        heap: from_bigint(row.get("heap_bytes")),
        indexes: from_bigint(row.get("index_bytes")),
        rows: row.get("rows"),
        index_count: from_bigint(row.get("index_count")),
        full_pages: row.get("full_pages"),
        page: from_bigint(row.get("page_bytes")),
        between_checkpoints: from_bigint(row.get("checkpoint_bytes")),
    };
    Ok((table.rows >= 1.0).then(|| table.space(rows)))
}

impl Table {
    fn space(&self, rows: u64) -> Space {
        let share = rows as f64 / self.rows;
        let heap = (self.heap as f64 * share) as u64;
        // The tenant column usually has an index, so that no update is a HOT update.
        let growth = heap + (self.indexes as f64 * share) as u64;
        let records = growth + rows * RECORD * (1 + self.index_count);
        // The first change of a page after a checkpoint writes the whole page: pages of the table once, as rows are
        // done in physical order, those of the indexes after every checkpoint, as ids are random.
        let touched = |size: u64| size.min(rows.saturating_mul(self.page));
        let checkpoints = 1 + records / self.between_checkpoints.max(1);
        let pages = touched(self.heap) + heap + checkpoints * touched(self.indexes);
        let wal_bytes = if self.full_pages { records + pages } else { records };
        Space { rows, indexes: self.index_count, growth_bytes: growth, wal_bytes }
    }
}
