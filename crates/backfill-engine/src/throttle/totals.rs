//! How long a run was slowed down, by signal.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::throttle::advice::Advice;
use crate::throttle::signal::{HiddenSignal, LoadSignal};

/// What slowed a run down.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ThrottleReport {
    /// The time by signal, for signals that slowed the run down.
    pub throttled: Vec<ThrottledTime>,
    /// Signals that could not be read at some time. One worker went on then, and rested as long as it worked.
    pub unreadable: Vec<HiddenSignal>,
}

/// The time that one signal cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThrottledTime {
    /// The signal.
    pub signal: LoadSignal,
    /// Seconds without a batch.
    pub waited_seconds: f64,
    /// Seconds with fewer workers, or with rests.
    pub slowed_seconds: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Totals {
    times: BTreeMap<LoadSignal, (Duration, Duration)>,
    unreadable: BTreeMap<LoadSignal, HiddenSignal>,
}

impl Totals {
    /// Counts the time for which an advice was in force.
    pub(crate) fn add(&mut self, advice: &Advice, time: Duration) {
        // While the run waits, reasons to slow down do not count.
        match &advice.pause {
            Some(reason) => self.times.entry(reason.signal).or_default().0 += time,
            None => advice.slow.iter().for_each(|reason| self.times.entry(reason.signal).or_default().1 += time),
        }
    }

    /// Records unreadable signals, and returns those that are new.
    pub(crate) fn note(&mut self, unreadable: &[HiddenSignal]) -> Vec<HiddenSignal> {
        let new = unreadable.iter().filter(|one| !self.unreadable.contains_key(&one.signal));
        let new: Vec<HiddenSignal> = new.cloned().collect();
        self.unreadable.extend(new.iter().map(|one| (one.signal, one.clone())));
        new
    }

    pub(crate) fn report(&self) -> ThrottleReport {
        let throttled = self.times.iter().map(|(signal, (waited, slowed))| ThrottledTime {
            signal: *signal,
            waited_seconds: waited.as_secs_f64(),
            slowed_seconds: slowed.as_secs_f64(),
        });
        ThrottleReport { throttled: throttled.collect(), unreadable: self.unreadable.values().cloned().collect() }
    }
}
