//! Waiting, for answers that are not to come as soon as they are known.

use async_trait::async_trait;
use huddle_ports::Timestamp;

/// Lets time pass.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Returns at that moment by the clock, not earlier; at once if it has passed.
    async fn until(&self, moment: Timestamp);
}

/// Lets no time pass: for whoever answers nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPause;

#[async_trait]
impl Pause for NoPause {
    async fn until(&self, _: Timestamp) {}
}
