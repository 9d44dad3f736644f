//! The machine's clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use huddle_core::pause::Pause;
use huddle_ports::{Clock, Timestamp};

/// The time of the machine, as its operator or NTP sets it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp::UNIX_EPOCH + after,
            Err(error) => Timestamp::UNIX_EPOCH - error.duration(),
        }
    }
}

/// As long as anybody here waits on purpose: for the word that no time suits it is two seconds, and for a store that is
/// out of order this.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits by a clock, which tokio's timer is taken to go along with; but for no more than half a minute. A moment that is
/// farther away was a near one before the clock was set back, and who waits for it is not to wait for the clock.
#[derive(Clone)]
pub struct TimerPause(Arc<dyn Clock>);

impl TimerPause {
    /// Waits until moments of this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }
}

impl fmt::Debug for TimerPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimerPause").finish_non_exhaustive()
    }
}

#[async_trait]
impl Pause for TimerPause {
    async fn until(&self, moment: Timestamp) {
        let left = moment.since(self.0.now());
        tokio::time::sleep(left.min(LONGEST)).await;
    }
}

#[cfg(test)]
mod tests {
    use huddle_testkit::SteppingClock;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_does_not_wait_for_a_clock_that_is_set_back() {
        let clock = Arc::new(SteppingClock::at(SystemClock.now()));
        let pause = TimerPause::new(clock.clone());
        let moment = clock.now() + Duration::from_secs(2);
        for (back, waited) in [(0, 2), (3600, 30)] {
            clock.set(moment - Duration::from_secs(2 + back));
            let begun = Instant::now();
            pause.until(moment).await;
            let waited = Duration::from_secs(waited);
            let more = begun.elapsed().saturating_sub(waited);
            assert!(begun.elapsed() >= waited && more < Duration::from_secs(1));
        }
    }

    #[test]
    fn the_clock_is_somewhere_in_this_century() {
        let now = SystemClock.now();
        let year_2025 = Timestamp::from_secs(1_735_689_600).unwrap();
        let year_2100 = Timestamp::from_secs(4_102_444_800).unwrap();
        assert!(year_2025 < now && now < year_2100, "{now:?}");
    }
}
