//! A review that is read to its end before any of it is applied.

use std::collections::HashSet;
use std::fs::Metadata;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::review::file::{LineContent, ReviewFile};

/// Most decisions in a file. Of each only 16 bytes are kept, to find rows that are decided twice: 32 MiB.
const MOST_DECISIONS: usize = 2 << 20;

/// A review that was read to its end, and whose columns are those of a review.
#[derive(Debug)]
pub struct CheckedReview {
    /// The file.
    pub path: PathBuf,
    /// The table that its first decision is about, as the file names it.
    pub table: Option<String>,
    /// How many decisions it holds.
    pub decided: u64,
    state: State,
    twice: HashSet<u128>,
    hashers: [RandomState; 2],
}

/// What tells whether a file is still the one that was checked: size and time of its last change.
type State = (u64, Option<SystemTime>);

fn state(metadata: &Metadata) -> State {
    (metadata.len(), metadata.modified().ok())
}

impl CheckedReview {
    /// Reads the whole file: its columns, its table, and which rows are decided twice.
    ///
    /// # Errors
    /// [`Error::NotAReview`] where a column is missing; [`Error::ReadReview`] where the file cannot be read. What is
    /// wrong with single lines is found when they are applied.
    pub fn check(path: &Path) -> Result<Self> {
        let mut file = ReviewFile::open(path)?;
        let hashers: [RandomState; 2] = Default::default();
        let (mut table, mut hashes) = (None, Vec::new());
        let state = state(&file.metadata()?);
        while let Some(line) = file.next()? {
            let LineContent::Decided(decision) = line.content else { continue };
            if hashes.len() == MOST_DECISIONS {
                let what = format!("it holds more than {MOST_DECISIONS} decisions");
                return Err(file.not_a_review(what, "split the file, each part with the header"));
            }
            hashes.push(hash(&hashers, &decision.key));
            table.get_or_insert(decision.table);
        }
        hashes.sort_unstable();
        let twice = hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        let decided = hashes.len() as u64;
        Ok(Self { path: path.to_owned(), table, decided, state, twice, hashers })
    }

    /// Whether more than one line decides this row.
    pub(crate) fn is_decided_twice(&self, key: &str) -> bool {
        !self.twice.is_empty() && self.twice.contains(&hash(&self.hashers, key))
    }

    /// Reads it from its beginning.
    pub(crate) fn open(&self) -> Result<ReviewFile> {
        let file = ReviewFile::open(&self.path)?;
        if state(&file.metadata()?) != self.state {
            return Err(Error::ReviewChanged { path: self.path.clone() });
        }
        Ok(file)
    }
}

/// 128 bits, in which two keys never meet.
fn hash(hashers: &[RandomState; 2], key: &str) -> u128 {
    let [first, second] = hashers.each_ref().map(|hasher| hasher.hash_one(key));
    u128::from(first) << 64 | u128::from(second)
}
