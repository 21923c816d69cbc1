//! The rate of a job over the last half minute of work, and the time that is left. Waiting does not count as work.

use std::collections::VecDeque;
use std::time::Duration;

/// The time over which the rate is taken.
const WINDOW: Duration = Duration::from_secs(30);

/// Counts at moments of work. Times begin at the start of the job.
#[derive(Debug)]
pub(super) struct Pace {
    /// Times of work and the units that were done by then, oldest first. The first may be a little older than the window.
    counts: VecDeque<(Duration, u64)>,
    /// How long the job has waited, and since when it is waiting now.
    waited: Duration,
    waiting_since: Option<Duration>,
}

impl Pace {
    /// Begins at `done` units, which do not count for the rate.
    pub(super) fn from(done: u64) -> Self {
        Self { counts: VecDeque::from([(Duration::ZERO, done)]), waited: Duration::ZERO, waiting_since: None }
    }

    /// Takes the count at `now`.
    pub(super) fn note(&mut self, now: Duration, done: u64) {
        let worked = self.worked(now);
        self.counts.push_back((worked, done));
        while self.counts.get(1).is_some_and(|(at, _)| worked.saturating_sub(*at) >= WINDOW) {
            self.counts.pop_front();
        }
    }

    /// From `now` on the job waits, or goes on.
    pub(super) fn wait(&mut self, now: Duration, waits: bool) {
        match (waits, self.waiting_since) {
            (true, None) => self.waiting_since = Some(now),
            (false, Some(since)) => {
                self.waited += now.saturating_sub(since);
                self.waiting_since = None;
            }
            _ => {}
        }
    }

    /// Units a second at `now`.
    pub(super) fn rate(&self, now: Duration) -> f64 {
        let (Some((since, before)), Some((_, done))) = (self.counts.front(), self.counts.back()) else { return 0.0 };
        let seconds = self.worked(now).saturating_sub(*since).as_secs_f64();
        if seconds > 0.0 { done.saturating_sub(*before) as f64 / seconds } else { 0.0 }
    }

    /// How long so many more units take; `None` if that is unknown.
    pub(super) fn left(&self, now: Duration, units: u64) -> Option<Duration> {
        let rate = self.rate(now);
        // A rate this low says nothing about the end; `try_from` also refuses what is longer than a Duration.
        (rate > f64::EPSILON).then(|| Duration::try_from_secs_f64(units as f64 / rate).ok()).flatten()
    }

    fn worked(&self, now: Duration) -> Duration {
        let waiting = self.waiting_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        now.saturating_sub(self.waited + waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn what_was_done_before_it_began_is_no_speed() {
        let mut pace = Pace::from(50_000);
        pace.note(at(10), 60_000);
        assert_eq!((pace.rate(at(10)), pace.left(at(10), 40_000)), (1_000.0, Some(at(40))));
    }

    #[test]
    fn only_the_last_half_minute_counts() {
        let mut pace = Pace::from(0);
        for second in 1..=100 {
            pace.note(at(second), second * 1_000);
        }
        for second in 101..=130 {
            pace.note(at(second), 100_000 + (second - 100) * 10);
        }
        assert_eq!(pace.rate(at(130)), 10.0);
    }

    #[test]
    fn a_pause_changes_neither_the_rate_nor_the_time_left() {
        let mut pace = Pace::from(0);
        pace.note(at(10), 1_000);
        pace.wait(at(10), true);
        assert_eq!((pace.rate(at(500)), pace.left(at(500), 1_000)), (100.0, Some(at(10))));
        pace.wait(at(600), true);
        pace.wait(at(610), false);
        pace.note(at(620), 2_000);
        assert_eq!(pace.rate(at(620)), 100.0);
    }

    #[test]
    fn a_job_that_hangs_gets_slower() {
        let mut pace = Pace::from(0);
        pace.note(at(10), 1_000);
        assert_eq!(pace.rate(at(20)), 50.0);
    }

    #[test]
    fn without_speed_there_is_no_guess_about_the_end() {
        assert_eq!(Pace::from(0).left(at(10), 1_000), None);
    }
}
