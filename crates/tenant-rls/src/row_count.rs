//! Counts of rows, pages and bytes. PostgreSQL sends them as `bigint`, which has a sign, but they are never negative.

/// What the server counted. Some of its functions return a negative number if they do not know; that becomes 0.
pub fn from_bigint(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// The number as the server takes it. A number that is too large for `bigint` becomes the largest one.
pub fn to_bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_survive_the_way_there_and_back_and_end_at_the_limits_of_their_types() {
        for count in [0, 1, i64::MAX as u64] {
            assert_eq!(from_bigint(to_bigint(count)), count);
        }
        assert_eq!(from_bigint(-1), 0);
        assert_eq!(to_bigint(u64::MAX), i64::MAX);
    }
}
