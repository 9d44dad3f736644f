//! The machine's clock.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

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

/// Waits by a clock, which tokio's timer is taken to go along with.
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
        tokio::time::sleep(moment.since(self.0.now())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_somewhere_in_this_century() {
        let now = SystemClock.now();
        let year_2025 = Timestamp::from_secs(1_735_689_600).unwrap();
        let year_2100 = Timestamp::from_secs(4_102_444_800).unwrap();
        assert!(year_2025 < now && now < year_2100, "{now:?}");
    }
}
