//! Physical positions: a tid as a number, so that ranges can be stepped through and halved.

use std::fmt;

/// More than the rows that a page of any block size can hold, so that every tid of a page has a number of its own.
const OFFSETS: u64 = 2048;

/// A position in a table's main fork: page and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tid(u64);

impl Tid {
    pub(crate) fn page(page: u64) -> Self {
        Self(page * OFFSETS)
    }

    /// Reads `(page,offset)`, as PostgreSQL prints it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (page, offset) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        Some(Self(page.parse::<u64>().ok()? * OFFSETS + offset.parse::<u64>().ok()?.min(OFFSETS - 1)))
    }

    pub(crate) fn page_number(self) -> u64 {
        self.0 / OFFSETS
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.0 / OFFSETS, self.0 % OFFSETS)
    }
}

/// The positions from `from` up to, and without, `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Tid,
    pub(crate) until: Tid,
}

impl Range {
    /// Both halves, or `None` for a single position.
    pub(crate) fn halves(self) -> Option<(Self, Self)> {
        let length = self.until.0 - self.from.0;
        if length < 2 {
            return None;
        }
        // Whole pages as long as there are two, as the lines of a page share its read.
        let pages = length / OFFSETS;
        let middle = if pages >= 2 { (self.from.0 / OFFSETS + pages / 2) * OFFSETS } else { self.from.0 + length / 2 };
        let middle = Tid(middle);
        Some((Self { from: self.from, until: middle }, Self { from: middle, until: self.until }))
    }
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
        fn halves_cover_the_range_and_nothing_else(from in 0u64..1_000_000, length in 2u64..10_000_000) {
            let range = Range { from: Tid(from), until: Tid(from + length) };
            let (first, second) = range.halves().unwrap();
            prop_assert_eq!(first.from, range.from);
            prop_assert_eq!(first.until, second.from);
            prop_assert_eq!(second.until, range.until);
            prop_assert!(first.from < first.until && second.from < second.until);
        }
    }
}
