//! The names that a file has had so far.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

/// The line on which each name was seen first. A name takes 16 bytes: 96 bits of its hash, which no two names share, and the line.
#[derive(Debug, Default)]
pub(crate) struct SeenNames {
    seen: HashMap<[u32; 3], u32>,
    hashers: [RandomState; 2],
}

impl SeenNames {
    /// Notes a name, and returns the line on which it was seen before.
    pub(crate) fn add(&mut self, name: &str, line: u64) -> Option<u64> {
        let [first, second] = self.hashers.each_ref().map(|hasher| hasher.hash_one(name));
        let key = [first as u32, (first >> 32) as u32, second as u32];
        match self.seen.entry(key) {
            Entry::Occupied(before) => Some(u64::from(*before.get())),
            Entry::Vacant(slot) => {
                slot.insert(u32::try_from(line).unwrap_or(u32::MAX));
                None
            }
        }
    }
}
