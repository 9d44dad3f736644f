//! The contract of `Clock`.

use huddle_ports::{Clock, Timestamp};

use super::Broken;

/// 2025-01-01T00:00:00Z.
const EARLIEST: Timestamp = Timestamp::from_millis(1_735_689_600_000);
/// 2100-01-01T00:00:00Z.
const LATEST: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// Checks a clock that shows the present: milliseconds, counted from 1970. It may step back, and stand still.
pub fn clock(clock: &dyn Clock) -> Result<(), Broken> {
    let now = clock.now();
    if EARLIEST < now && now < LATEST {
        Ok(())
    } else {
        Err(Broken(format!("{now:?} is not in this century")))
    }
}
