//! Time as reports, tokens and the server take it.

use std::time::Duration;

/// Whole milliseconds. What is longer than fits, which no clock measures, becomes the longest.
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_is_dropped_and_nothing_overflows() {
        assert_eq!(milliseconds(Duration::from_micros(1_999)), 1);
        assert_eq!(milliseconds(Duration::MAX), u64::MAX);
    }
}
