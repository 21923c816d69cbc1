//! Counts of rows, which the server returns as `bigint`.

/// A count that the server returned.
pub(crate) fn row_count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
