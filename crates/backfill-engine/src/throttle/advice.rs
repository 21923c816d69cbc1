//! What follows from load samples: a function of samples and limits, without clock and database.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use crate::throttle::hysteresis::Hysteresis;
use crate::throttle::limits::ThrottleLimits;
use crate::throttle::load_sample::{LoadSample, Replica};
use crate::throttle::signal::LoadSignal;

/// How long a run waits after a limit was last exceeded.
const HOLD: Duration = Duration::from_secs(3);

/// How long others must be quiet before more than one worker runs again.
const QUIET: Duration = Duration::from_secs(5);

/// The time over which active sessions are averaged, in seconds, so that an occasional health check is no load.
const SMOOTHED_OVER: f64 = 3.0;

/// The delay factor while something cannot be read or a long vacuum runs: one worker rests as long as it works.
const UNSEEN: f64 = 2.0;

/// The highest delay factor for a WAL rate above its limit.
const SLOWEST: f64 = 16.0;

/// What the workers should do until the next sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// The number of workers that may run, at least one.
    pub workers: u32,
    /// Why no batch may run; none if batches may run.
    pub pause: Option<SlowReason>,
    /// The time of a batch and the rest after it, as a multiple of the batch alone; at least 1.
    pub delay_factor: f64,
    /// Why the workers are slowed down, besides the pause.
    pub slow: Vec<SlowReason>,
}

/// One reason to slow down or to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowReason {
    /// The signal.
    pub signal: LoadSignal,
    /// The value and the limit, in words.
    pub says: String,
}

impl Advice {
    /// All workers at full speed.
    pub fn full_speed(workers: u32, limits: &ThrottleLimits) -> Self {
        Self { workers: workers.max(1), pause: None, delay_factor: limits.delay_factor(), slow: Vec::new() }
    }

    /// Why the workers are held back; empty at full speed.
    pub fn reasons(&self) -> impl Iterator<Item = &SlowReason> {
        self.pause.iter().chain(&self.slow)
    }

    fn one_worker(&mut self, signal: LoadSignal, says: String) {
        self.workers = 1;
        self.slow.push(SlowReason { signal, says });
    }

    fn stretch(&mut self, factor: f64) {
        self.delay_factor = self.delay_factor.max(factor);
    }

    /// Only the first reason to wait is reported.
    fn wait(&mut self, signal: LoadSignal, says: String) {
        self.pause.get_or_insert(SlowReason { signal, says });
    }
}

/// Gives advice for one sample after the other. It remembers only what limits need that are left slowly.
#[derive(Debug)]
pub struct Advisor {
    limits: ThrottleLimits,
    workers: u32,
    lag: Hysteresis,
    waiters: Hysteresis,
    busy: Hysteresis,
    /// Other active sessions, smoothed.
    active: Option<f64>,
    /// When each process was first seen working on the table.
    work_since: BTreeMap<i32, Duration>,
    /// The current delay factor of the WAL rate, and the smoothed rate.
    stretched: f64,
    wal_rate: f64,
    /// Time and WAL position of past samples, oldest first, as far back as the lag may be.
    positions: VecDeque<(Duration, u64)>,
}

impl Advisor {
    /// An advisor for so many workers.
    pub fn new(limits: ThrottleLimits, workers: u32) -> Self {
        Self {
            limits,
            workers: workers.max(1),
            lag: Hysteresis::default(),
            waiters: Hysteresis::default(),
            busy: Hysteresis::default(),
            active: None,
            work_since: BTreeMap::new(),
            stretched: 1.0,
            wal_rate: 0.0,
            positions: VecDeque::new(),
        }
    }

    /// Returns what to do until the next sample. Samples come in the order of their time.
    pub fn advise(&mut self, sample: &LoadSample) -> Advice {
        let mut advice = Advice::full_speed(self.workers, &self.limits);
        if self.limits.full_speed {
            return advice;
        }
        // Short waits come before long ones, so that the reported one ends the pause last.
        self.work(sample, &mut advice);
        self.lag(sample, &mut advice);
        self.waiters(sample, &mut advice);
        self.wal(sample, &mut advice);
        self.active(sample, &mut advice);
        for unreadable in &sample.unreadable {
            advice.one_worker(unreadable.signal, unreadable.to_string());
            advice.stretch(UNSEEN);
        }
        if sample.unreadable(LoadSignal::WalRate).is_none() {
            self.remember(sample);
        }
        advice
    }

    fn remember(&mut self, sample: &LoadSample) {
        self.positions.push_back((sample.at, sample.wal));
        let needed = |at: Duration| sample.at.saturating_sub(at) > self.limits.max_lag;
        while self.positions.get(1).is_some_and(|(at, _)| needed(*at)) {
            self.positions.pop_front();
        }
    }

    /// How long ago the WAL was at the replica's position. The time that the server reports is renewed with each reply
    /// of a standby, so that a standby which hangs would not seem to fall behind.
    fn behind(&self, sample: &LoadSample, replica: &Replica) -> Duration {
        let reached = sample.wal.saturating_sub(replica.bytes);
        let there = self.positions.iter().rev().find(|(_, wal)| *wal <= reached).or(self.positions.front());
        let ours = there.filter(|_| replica.bytes > 0).map_or(Duration::ZERO, |(at, _)| sample.at.saturating_sub(*at));
        // Progress since the last sample counts as no lag.
        let ours = if ours <= self.seconds_since_last(sample).map_or(Duration::ZERO, Duration::from_secs_f64) {
            Duration::ZERO
        } else {
            ours
        };
        ours.max(replica.behind)
    }

    fn work(&mut self, sample: &LoadSample, advice: &mut Advice) {
        if sample.unreadable(LoadSignal::TableWork).is_some() {
            return;
        }
        self.work_since.retain(|pid, _| sample.work.iter().any(|work| work.pid == *pid));
        for work in &sample.work {
            let since = *self.work_since.entry(work.pid).or_insert(sample.at);
            let (waited, limit) = (sample.at.saturating_sub(since), self.limits.work_wait);
            if waited < limit {
                advice.wait(LoadSignal::TableWork, format!("{work} works on the table"));
            } else {
                let says = format!("{work} still works on the table after {} s", waited.as_secs());
                advice.one_worker(LoadSignal::TableWork, says);
                advice.stretch(UNSEEN);
            }
        }
    }

    fn lag(&mut self, sample: &LoadSample, advice: &mut Advice) {
        let limits = &self.limits;
        if sample.unreadable(LoadSignal::ReplicationLag).is_some() {
            return;
        }
        let measured = |replica| {
            let behind = self.behind(sample, replica);
            let time = behind.as_secs_f64() / limits.max_lag.as_secs_f64().max(f64::EPSILON);
            (time.max(replica.bytes as f64 / limits.max_lag_bytes.max(1) as f64), behind, replica)
        };
        let worst = sample.replicas.iter().map(measured).max_by(|a, b| a.0.total_cmp(&b.0));
        let most = worst.map_or(0.0, |(share, ..)| share);
        if self.lag.set(sample.at, most > 1.0, most < 0.8, HOLD) {
            let says = match worst {
                None => "the standby that was behind is gone".to_owned(),
                Some((_, behind, replica)) => format!(
                    "{} is {:.1} s and {} MiB behind, the limits are {} s and {} MiB",
                    replica.name,
                    behind.as_secs_f64(),
                    replica.bytes >> 20,
                    limits.max_lag.as_secs_f64(),
                    limits.max_lag_bytes >> 20
                ),
            };
            advice.wait(LoadSignal::ReplicationLag, says);
        }
    }

    fn waiters(&mut self, sample: &LoadSample, advice: &mut Advice) {
        if sample.unreadable(LoadSignal::Waiters).is_some() {
            return;
        }
        let waiting = sample.waiters > 0;
        if self.waiters.set(sample.at, waiting, !waiting, HOLD) {
            let says = match sample.waiters {
                0 => "a session waited for a lock of ours a moment ago".to_owned(),
                1 => "a session waits for a lock of ours".to_owned(),
                number => format!("{number} sessions wait for a lock of ours"),
            };
            advice.wait(LoadSignal::Waiters, says);
        }
    }

    /// Raises the delay factor by the ratio of rate and limit, and lowers it by a fifth with each sample that is well
    /// below the limit.
    fn wal(&mut self, sample: &LoadSample, advice: &mut Advice) {
        let limit = self.limits.max_wal_rate.max(1) as f64;
        if sample.unreadable(LoadSignal::WalRate).is_some() {
            return;
        }
        if let Some(seconds) = self.seconds_since_last(sample) {
            let written = sample.wal.saturating_sub(self.positions.back().map_or(sample.wal, |(_, wal)| *wal));
            self.wal_rate = (self.wal_rate + written as f64 / seconds) / 2.0;
            if self.wal_rate > limit {
                self.stretched = (self.stretched * self.wal_rate / limit).min(SLOWEST);
            } else if self.wal_rate < 0.8 * limit {
                self.stretched = (self.stretched * 0.8).max(1.0);
            }
        }
        if self.stretched > 1.0 {
            advice.stretch(self.stretched);
            let mib = |bytes: f64| (bytes / f64::from(1 << 20)).round();
            let says =
                format!("the server writes {} MiB of WAL a second, the limit is {}", mib(self.wal_rate), mib(limit));
            advice.slow.push(SlowReason { signal: LoadSignal::WalRate, says });
        }
    }

    fn active(&mut self, sample: &LoadSample, advice: &mut Advice) {
        if sample.unreadable(LoadSignal::ActiveSessions).is_some() {
            return;
        }
        let now = sample.active as f64;
        let seconds = self.seconds_since_last(sample).unwrap_or_default();
        let weight = (-seconds / SMOOTHED_OVER).exp();
        let active = self.active.map_or(now, |before| before * weight + now * (1.0 - weight));
        self.active = Some(active);
        let over = active - f64::from(self.limits.max_active);
        if self.busy.set(sample.at, over > 0.5, over < 0.25, QUIET) && self.workers > 1 {
            let says = match self.limits.max_active {
                0 => format!("{active:.1} other sessions are at work"),
                most => format!("{active:.1} other sessions are at work, the limit is {most}"),
            };
            advice.one_worker(LoadSignal::ActiveSessions, says);
        }
    }

    fn seconds_since_last(&self, sample: &LoadSample) -> Option<f64> {
        let (at, _) = self.positions.back()?;
        Some(sample.at.checked_sub(*at)?.as_secs_f64()).filter(|seconds| *seconds > 0.0)
    }
}
