//! A clock for tests.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use huddle_ports::{Clock, Timestamp};

/// Stands still until it is told to step, forth or back.
#[derive(Debug)]
pub struct SteppingClock(AtomicI64);

impl SteppingClock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Shows another time, later or earlier.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Goes forward.
    pub fn step(&self, by: Duration) {
        self.set(self.now() + by);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
