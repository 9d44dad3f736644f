//! The time as the driver takes it: it goes on, whatever the clock does.

use std::time::Duration;

/// Adds up how far the clock has gone forward.
///
/// A clock that is set back, as one that was wrong may be, neither stops waits nor makes revisions of a moment ago ones
/// of the future: time goes on from where it was, as fast as the clock does. One that is set forward cannot be told from
/// a process that was asleep, so what is due by then is due. What many wait for at one moment is bounded elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    now: Duration,
    /// What the clock said last; `None` before it has been looked at.
    said: Option<Duration>,
}

impl Clock {
    /// Looks at the clock.
    pub(super) fn tick(&mut self, says: Duration) -> Duration {
        self.now = match self.said {
            None => says,
            Some(said) => self.now.saturating_add(says.saturating_sub(said)),
        };
        self.said = Some(says);
        self.now
    }

    /// What the clock will say at a moment, if it is not set meanwhile.
    pub(super) fn will_say(&self, at: Duration) -> Duration {
        let said = self.said.unwrap_or_default();
        said.saturating_add(at.saturating_sub(self.now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_goes_on_from_where_it_was_when_the_clock_is_set_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.tick(HOUR * 10), HOUR * 10);
        assert_eq!(clock.tick(HOUR * 9), HOUR * 10);
        assert_eq!(clock.will_say(HOUR * 10 + SECOND), HOUR * 9 + SECOND);
        assert_eq!(clock.tick(HOUR * 9 + SECOND), HOUR * 10 + SECOND);
        assert_eq!(clock.tick(HOUR * 33), HOUR * 34);
    }

    #[test]
    fn times_at_the_ends_of_what_there_is_are_times() {
        let mut clock = Clock::default();
        clock.tick(Duration::ZERO);
        assert_eq!(clock.tick(Duration::MAX), Duration::MAX);
        clock.tick(Duration::ZERO);
        assert_eq!(clock.tick(Duration::MAX), Duration::MAX);
        assert_eq!(clock.will_say(Duration::ZERO), Duration::MAX);
    }
}
