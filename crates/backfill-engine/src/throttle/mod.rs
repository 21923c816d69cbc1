//! The throttle: it slows the workers of a process down according to the load of the server.

pub(crate) mod advice;
pub(crate) mod hysteresis;
pub(crate) mod limits;
pub(crate) mod load_sample;
pub(crate) mod rate_limit;
pub(crate) mod signal;
pub(crate) mod totals;

#[cfg(test)]
mod tests;

use crate::progress::BackfillEvent;
use crate::throttle::totals::Totals;

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tenancy_config::TableName;
use tenant_rls::Database;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

pub use advice::{Advice, Advisor, SlowReason};
pub use limits::ThrottleLimits;
pub use load_sample::{LoadSample, LoadSampler, Replica, TableActivity};
pub use rate_limit::RateLimit;
pub use signal::{HiddenSignal, LoadSignal};
pub use totals::{ThrottleReport, ThrottledTime};

/// How often a sample is taken.
const EVERY: Duration = Duration::from_secs(1);

/// The throttle of a process, which admits each batch. [`Throttle::watch`] must run beside the workers.
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    workers: u32,
    rate_limit: RateLimit,
    /// None before the first sample; no worker begins before it.
    advice: watch::Sender<Option<Advice>>,
    totals: Mutex<Totals>,
}

impl Throttle {
    /// A throttle for so many workers.
    pub fn new(limits: &ThrottleLimits, workers: u32) -> Self {
        let first = limits.full_speed.then(|| Advice::full_speed(workers, limits));
        Self {
            limits: limits.clone(),
            workers,
            rate_limit: RateLimit::new(limits.max_rate),
            advice: watch::channel(first).0,
            totals: Mutex::default(),
        }
    }

    /// Takes a sample once a second, and sends an event if something changes. It ends when it is dropped.
    pub async fn watch(
        &self,
        database: &Database,
        table: &TableName,
        send: &(dyn Fn(BackfillEvent) + Send + Sync),
    ) -> Infallible {
        if self.limits.full_speed {
            return std::future::pending().await;
        }
        let started = Instant::now();
        let (mut sampler, mut advisor) =
            (LoadSampler::new(database, table), Advisor::new(self.limits.clone(), self.workers));
        let mut reasons = ReasonChanges { last: Vec::new(), since: None };
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sampled_at = started;
        let mut at = Duration::ZERO;
        loop {
            ticks.tick().await;
            let sample = sampler.sample(at + sampled_at.elapsed()).await;
            let advice = advisor.advise(&sample);
            let elapsed = sampled_at.elapsed();
            (sampled_at, at) = (Instant::now(), sample.at);
            for unreadable in self.count(&sample, elapsed) {
                send(BackfillEvent::Unreadable { unreadable });
            }
            if let Some(event) = reasons.event(&advice) {
                send(event);
            }
            self.advice.send_replace(Some(advice));
        }
    }

    /// Waits until a worker, counted from 0, may begin its next batch. `last` is the duration and the written rows of
    /// its last batch. Returns false if `stop` turned true.
    pub async fn admit(&self, worker: u32, last: Option<(Duration, u64)>, stop: &mut watch::Receiver<bool>) -> bool {
        let may = async {
            if let Some((took, rows)) = last {
                tokio::join!(self.rest(took), self.rate_limit.pay(rows));
            }
            let mut advice = self.advice.subscribe();
            let free = |advice: &Option<Advice>| {
                advice.as_ref().is_some_and(|advice| advice.pause.is_none() && worker < advice.workers)
            };
            // The sender lives as long as `self`.
            let _ = advice.wait_for(free).await;
        };
        // If the sender is gone, nothing can stop the run.
        let stopped = async {
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = stopped => false,
            () = may => true,
        }
    }

    async fn rest(&self, took: Duration) {
        let factor = self.advice.borrow().as_ref().map_or(1.0, |advice| advice.delay_factor);
        tokio::time::sleep(took.mul_f64((factor - 1.0).max(0.0))).await;
    }

    /// The number of workers that may run now; 0 while the run waits.
    pub fn workers(&self) -> u32 {
        let advice = self.advice.borrow();
        advice.as_ref().filter(|advice| advice.pause.is_none()).map_or(0, |advice| advice.workers)
    }

    /// What slowed the run down so far.
    pub fn report(&self) -> ThrottleReport {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).report()
    }

    /// Counts how long the advice before this sample was in force, and returns unreadable signals that are new.
    fn count(&self, sample: &LoadSample, elapsed: Duration) -> Vec<crate::throttle::signal::HiddenSignal> {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(advice) = &*self.advice.borrow() {
            totals.add(advice, elapsed);
        }
        totals.note(&sample.unreadable)
    }
}

/// Notices changes of the reasons, but not of the numbers in them.
struct ReasonChanges {
    last: Vec<(LoadSignal, bool)>,
    since: Option<Instant>,
}

impl ReasonChanges {
    fn event(&mut self, advice: &Advice) -> Option<BackfillEvent> {
        let waits = advice.pause.iter().map(|reason| (reason.signal, true));
        let now: Vec<_> = waits.chain(advice.slow.iter().map(|reason| (reason.signal, false))).collect();
        if now == self.last {
            return None;
        }
        self.last = now;
        match advice.reasons().next() {
            Some(reason) => {
                self.since.get_or_insert_with(Instant::now);
                Some(BackfillEvent::Slowed {
                    reason: reason.clone(),
                    waits: advice.pause.is_some(),
                    workers: advice.workers,
                })
            }
            None => self.since.take().map(|since| BackfillEvent::FullSpeedAgain { after: since.elapsed() }),
        }
    }
}
