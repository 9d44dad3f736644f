//! For tests of whatever embeds Huddle, and of Huddle itself: nothing here looks at the machine it
//! runs on, and all of it runs on every runtime.
//!
//! - [`SteppingClock`] tells the time that it was given.
//! - [`CountingRandom`] is random to nobody.
//! - [`ListedWindows`] knows hosts and when they have time, and nothing else.
//! - [`contract`] is what every adapter of a port has to keep to, wherever it runs.

mod availability;
mod clock;
pub mod contract;
mod random;

pub use availability::{HostWindows, ListedWindows};
pub use clock::SteppingClock;
pub use random::CountingRandom;
