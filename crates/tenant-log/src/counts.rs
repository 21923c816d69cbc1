//! Numbers of records, by kind.

use std::collections::HashMap;

use tenancy_config::tenancy::LogMessages;

use crate::kind::{Kind, What};

/// How many records there are of each kind, and of each message of a served request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) kinds: [u64; Kind::ALL.len()],
    pub(crate) served: [u64; LogMessages::MOST_TRAFFIC],
}

impl Counts {
    pub(crate) fn add(&mut self, what: What) {
        match what {
            What::Trouble(kind) => self.kinds[kind as usize] += 1,
            What::Served(message) => self.served[message] += 1,
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.kinds.iter_mut().zip(other.kinds).for_each(|(sum, count)| *sum += count);
        self.served.iter_mut().zip(other.served).for_each(|(sum, count)| *sum += count);
    }

    /// All records of trouble.
    pub(crate) fn trouble(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// The requests that were served: at least as many as there are records of one message. A request may write several
    /// messages, so that their sum would count it more than once.
    pub(crate) fn requests(&self) -> u64 {
        self.served.iter().copied().max().unwrap_or(0)
    }
}

/// How many names are kept apart. Memory must not grow with the log.
pub(crate) const MOST_NAMES: usize = 5_000;

/// Values by name. What comes when there are too many names is together in `others`.
#[derive(Debug)]
pub(crate) struct ByName<K, T> {
    pub(crate) named: HashMap<K, T>,
    pub(crate) others: T,
}

impl<K, T: Default> Default for ByName<K, T> {
    fn default() -> Self {
        Self { named: HashMap::new(), others: T::default() }
    }
}

impl<T: Default> ByName<String, T> {
    pub(crate) fn update(&mut self, name: &str, update: impl FnOnce(&mut T)) {
        if let Some(value) = self.named.get_mut(name) {
            update(value);
        } else if self.named.len() < MOST_NAMES {
            update(self.named.entry(name.to_owned()).or_default());
        } else {
            update(&mut self.others);
        }
    }
}
