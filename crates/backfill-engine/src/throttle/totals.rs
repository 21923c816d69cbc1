//! How long a run was held back, by signal.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::throttle::advice::Advice;
use crate::throttle::signal::{LoadSignal, Unreadable};

/// What held a run back, for its report.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ThrottleReport {
    /// By signal; those that never did are left out.
    pub held_back: Vec<ThrottledTime>,
    /// Signals that could not be read at some time: the run then went on with one worker that rests as long as it
    /// works.
    pub unreadable: Vec<Unreadable>,
}

/// What one signal cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThrottledTime {
    /// Which.
    pub signal: LoadSignal,
    /// Seconds without a batch.
    pub waited_seconds: f64,
    /// Seconds with fewer workers, or with rests.
    pub slowed_seconds: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Totals {
    times: BTreeMap<LoadSignal, (Duration, Duration)>,
    unreadable: BTreeMap<LoadSignal, Unreadable>,
}

impl Totals {
    /// Counts the time for which an advice held.
    pub(crate) fn add(&mut self, advice: &Advice, time: Duration) {
        // What is waited for anyway does not count as slow beside it.
        match &advice.pause {
            Some(reason) => self.times.entry(reason.signal).or_default().0 += time,
            None => advice.slow.iter().for_each(|reason| self.times.entry(reason.signal).or_default().1 += time),
        }
    }

    /// Notes what cannot be read, and tells which of it is new.
    pub(crate) fn note(&mut self, unreadable: &[Unreadable]) -> Vec<Unreadable> {
        let new = unreadable.iter().filter(|one| !self.unreadable.contains_key(&one.signal));
        let new: Vec<Unreadable> = new.cloned().collect();
        self.unreadable.extend(new.iter().map(|one| (one.signal, one.clone())));
        new
    }

    pub(crate) fn report(&self) -> ThrottleReport {
        let held_back = self.times.iter().map(|(signal, (waited, slowed))| ThrottledTime {
            signal: *signal,
            waited_seconds: waited.as_secs_f64(),
            slowed_seconds: slowed.as_secs_f64(),
        });
        ThrottleReport { held_back: held_back.collect(), unreadable: self.unreadable.values().cloned().collect() }
    }
}
