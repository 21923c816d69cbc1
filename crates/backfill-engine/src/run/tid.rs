//! Physical positions. A tid is a number, so that ranges can be advanced and halved.

use std::fmt;

/// Positions of a page. More than a page of any block size can hold, so that every tid has its own number.
pub(crate) const PAGE: u64 = 2048;

/// A position in the main fork of a table: page and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tid(u64);

impl Tid {
    pub(crate) fn page(page: u64) -> Self {
        Self(page * PAGE)
    }

    /// Reads `(page,offset)`, as PostgreSQL prints it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (page, offset) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        Some(Self(page.parse::<u64>().ok()? * PAGE + offset.parse::<u64>().ok()?.min(PAGE - 1)))
    }

    /// The position that is `positions` further on; a page has [`PAGE`] of them.
    pub(crate) fn plus(self, positions: u64) -> Self {
        Self(self.0.saturating_add(positions))
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.0 / PAGE, self.0 % PAGE)
    }
}

/// The positions from `from`, inclusive, to `until`, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TidRange {
    pub(crate) from: Tid,
    pub(crate) until: Tid,
}

impl TidRange {
    /// The number of positions.
    pub(crate) fn length(self) -> u64 {
        self.until.0 - self.from.0
    }

    /// The range that begins at `from` and has `positions` positions, but ends at `end` at the latest.
    pub(crate) fn of(from: Tid, positions: u64, end: Tid) -> Self {
        Self { from, until: from.plus(positions).min(end) }
    }
}

/// Half of `positions`. From two pages on it is a number of whole pages, as the rows of a page share one read.
pub(crate) fn half(positions: u64) -> u64 {
    let pages = positions / PAGE;
    if pages >= 2 { pages / 2 * PAGE } else { (positions / 2).max(1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_position_reads_back_as_postgresql_prints_it() {
        assert_eq!(Tid::parse("(12,34)").unwrap().to_string(), "(12,34)");
        assert_eq!(Tid::parse("12,34"), None);
    }

    proptest! {
        #[test]
        fn a_range_that_refuses_shrinks_to_one_position(positions in 2u64..100_000_000) {
            let mut left = positions;
            for _ in 0..64 {
                prop_assert!(half(left) < left || left == 1);
                left = half(left);
            }
            prop_assert_eq!(left, 1);
        }

        #[test]
        fn a_batch_never_leaves_its_range(from in 0u64..1_000_000, width in 1u64..10_000_000, positions in 1u64..10_000_000) {
            let range = TidRange::of(Tid(from), positions, Tid(from + width));
            prop_assert_eq!(range.from, Tid(from));
            prop_assert_eq!(range.length(), positions.min(width));
        }
    }
}
