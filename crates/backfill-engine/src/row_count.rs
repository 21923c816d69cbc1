//! Counts of rows, which the server has as `bigint`.

/// A count that the server gave.
pub(crate) fn row_count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
