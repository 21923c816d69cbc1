//! Counts over time, in constant memory.

use std::collections::BTreeMap;

use crate::counts::Counts;
use crate::kind::What;
use crate::time::Millis;

/// How many intervals are kept, and how many are shown.
const MOST_KEPT: usize = 512;
pub(crate) const MOST_SHOWN: i64 = 24;

/// Counts in intervals of one width, which grows with the time that they span.
#[derive(Debug)]
pub(crate) struct Timeline {
    begin: Millis,
    width: Millis,
    intervals: BTreeMap<i64, Counts>,
    /// The first and last interval that are shown, if they are known beforehand.
    fixed: Option<(i64, i64)>,
}

/// The intervals of a report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub(crate) begin: Millis,
    pub(crate) width: Millis,
    pub(crate) counts: Vec<Counts>,
}

impl Timeline {
    /// For any time.
    pub(crate) fn open() -> Self {
        Self { begin: 0, width: 1_000, intervals: BTreeMap::new(), fixed: None }
    }

    /// For this time only.
    pub(crate) fn between(begin: Millis, end: Millis) -> Self {
        // 24 intervals, none shorter than a second.
        let width = ((end - begin + 23) / 24).max(1_000);
        let last = ((end - begin - 1).max(0)) / width;
        Self { begin, width, intervals: BTreeMap::new(), fixed: Some((0, last)) }
    }

    pub(crate) fn add(&mut self, time: Millis, what: What) {
        self.intervals.entry((time - self.begin).div_euclid(self.width)).or_default().add(what);
        if self.intervals.len() > MOST_KEPT && self.fixed.is_none() {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width *= 2;
        let mut wider = BTreeMap::<i64, Counts>::new();
        for (at, counts) in &self.intervals {
            wider.entry(at.div_euclid(2)).or_default().merge(counts);
        }
        self.intervals = wider;
    }

    /// The intervals from the first to the last, at most [`MOST_SHOWN`].
    pub(crate) fn shown(mut self) -> Option<Intervals> {
        let (first, last) = loop {
            let ends = (*self.intervals.keys().next()?, *self.intervals.keys().next_back()?);
            let (first, last) = self.fixed.unwrap_or(ends);
            if last - first < MOST_SHOWN {
                break (first, last);
            }
            self.widen();
        };
        let counts = (first..=last).map(|at| self.intervals.get(&at).copied().unwrap_or_default()).collect();
        Some(Intervals { begin: self.begin + first * self.width, width: self.width, counts })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kind::Kind;

    const WHAT: What = What::Trouble(Kind::Unresolved);

    proptest! {
        #[test]
        fn no_record_is_lost_however_far_apart_they_are(times in proptest::collection::vec(946_684_800_000i64..4_102_444_800_000, 1..700)) {
            let mut timeline = Timeline::open();
            times.iter().for_each(|time| timeline.add(*time, WHAT));
            let shown = timeline.shown().unwrap();
            let sum: u64 = shown.counts.iter().map(Counts::trouble).sum();
            prop_assert_eq!(sum, times.len() as u64);
            prop_assert!(shown.counts.len() as i64 <= MOST_SHOWN);
            prop_assert!(shown.counts.first().unwrap().trouble() > 0);
            let first = *times.iter().min().unwrap();
            prop_assert!(shown.begin <= first && first < shown.begin + shown.width);
        }
    }

    #[test]
    fn a_window_is_shown_whole_also_where_nothing_happened() {
        let mut timeline = Timeline::between(0, 3_600_000);
        timeline.add(3_599_999, WHAT);
        timeline.add(0, WHAT);
        let shown = timeline.shown().unwrap();
        assert_eq!((shown.begin, shown.width, shown.counts.len()), (0, 150_000, 24));
        assert_eq!((shown.counts[0].trouble(), shown.counts[23].trouble()), (1, 1));
    }
}
