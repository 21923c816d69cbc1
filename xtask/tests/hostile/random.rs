//! Random numbers that are the same on every machine for one seed, so that a failure can be repeated.

/// SplitMix64: small, and good enough to choose mutations.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers for one input. They do not depend on how many numbers other inputs used.
    pub(crate) fn of(seed: u64, kind: &str, number: usize) -> Self {
        let mut mixed = Self(seed ^ number as u64);
        for byte in kind.bytes() {
            mixed.0 = mixed.next() ^ u64::from(byte);
        }
        mixed
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    /// True once in `times` times, on average.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        &these[self.below(these.len())]
    }

    /// A random part of something of this length: its beginning and its end.
    pub(crate) fn part(&mut self, length: usize, longest: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        (start, length.min(start + self.below(longest + 1)))
    }
}
