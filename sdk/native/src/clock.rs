//! The machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

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
