//! The check of a whole review, before any of it is applied.

use std::collections::HashSet;
use std::fs::Metadata;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::review::file::{LineContent, ReviewFile};

/// The most decisions in a file. 16 bytes of each are kept to find rows that are decided twice, 32 MiB in all.
const MOST_DECISIONS: usize = 2 << 20;

/// A review that was read to its end and has the columns of a review.
#[derive(Debug)]
pub struct CheckedReview {
    /// The file.
    pub path: PathBuf,
    /// The table of the first decision, as the file names it.
    pub table: Option<String>,
    /// The number of decisions.
    pub decided: u64,
    state: State,
    twice: HashSet<u128>,
    hashers: [RandomState; 2],
}

/// The size of a file and the time of its last change, by which a later change is noticed.
type State = (u64, Option<SystemTime>);

fn state(metadata: &Metadata) -> State {
    (metadata.len(), metadata.modified().ok())
}

impl CheckedReview {
    /// Reads the whole file: its columns, its table, and the rows that are decided twice.
    ///
    /// # Errors
    /// [`Error::NotAReview`] if a column is missing or there are too many decisions; [`Error::ReadReview`] if the file
    /// cannot be read. Malformed lines are no error here; they are refused when they are applied.
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

    /// Opens the file again, if it has not changed.
    pub(crate) fn open(&self) -> Result<ReviewFile> {
        let file = ReviewFile::open(&self.path)?;
        if state(&file.metadata()?) != self.state {
            return Err(Error::ReviewChanged { path: self.path.clone() });
        }
        Ok(file)
    }
}

/// A hash of 128 bits, which is in practice different for different keys.
fn hash(hashers: &[RandomState; 2], key: &str) -> u128 {
    let [first, second] = hashers.each_ref().map(|hasher| hasher.hash_one(key));
    u128::from(first) << 64 | u128::from(second)
}
