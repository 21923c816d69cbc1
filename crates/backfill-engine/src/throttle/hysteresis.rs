//! A limit with hysteresis, so that a run near the limit does not start and stop with each sample.

use std::time::Duration;

/// On from the first sample over the limit, until some time after the last one that was not calm.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hysteresis {
    /// When it goes off; none if it is off.
    until: Option<Duration>,
}

impl Hysteresis {
    /// Takes the sample at `now` and returns whether it is on. Between `over` and `calm` it stays as it is.
    pub(crate) fn set(&mut self, now: Duration, over: bool, calm: bool, hold: Duration) -> bool {
        if over || (!calm && self.until.is_some()) {
            self.until = Some(now + hold);
        }
        self.until = self.until.filter(|until| now < *until);
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_at_once_and_off_only_after_it_was_calm_for_a_while() {
        let (mut hysteresis, hold) = (Hysteresis::default(), Duration::from_secs(3));
        let mut at = |second, over, calm| hysteresis.set(Duration::from_secs(second), over, calm, hold);
        assert!(!at(0, false, false), "between the limits it stays off");
        assert!(at(1, true, false));
        assert!(at(2, false, true));
        assert!(at(3, false, false), "not calm again: the time begins anew");
        assert!(at(5, false, true));
        assert!(!at(6, false, true));
    }
}
