//! The platform's time.

use async_trait::async_trait;
use huddle_core::pause::Pause;
use huddle_ports::{Clock, Timestamp};
use worker::send::SendFuture;
use worker::{Date, Delay};

/// The clock of Workers. It stands still while code runs and goes on with every wait for the outside,
/// so one turn of an actor sees one time.
#[derive(Clone, Copy, Debug)]
pub struct WorkersClock;

impl Clock for WorkersClock {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(Date::now().as_millis());
        Timestamp::from_millis(millis.expect("JavaScript dates end long before 2⁶³ ms"))
    }
}

#[async_trait]
impl Pause for WorkersClock {
    async fn until(&self, moment: Timestamp) {
        SendFuture::new(Delay::from(moment.since(self.now()))).await;
    }
}
