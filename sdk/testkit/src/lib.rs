//! For tests of whatever embeds Huddle, and of Huddle itself: nothing here looks at the machine it
//! runs on, and all of it runs on every runtime.
//!
//! - [`SteppingClock`] tells the time that it was given.
//! - [`CountingRandom`] is random to nobody.
//! - [`ListedWindows`] knows hosts and when they have time, and nothing else.
//! - [`ListedPeople`] knows how people stand to each other and when they are busy.
//! - [`Network`] is a directory, a host of signed repositories and its firehose, all in memory.
//! - [`contract`] is what every adapter of a port has to keep to, wherever it runs.

mod availability;
mod clock;
pub mod contract;
pub mod network;
mod people;
mod random;

pub use availability::{HostWindows, ListedWindows};
pub use clock::SteppingClock;
pub use network::Network;
pub use people::ListedPeople;
pub use random::CountingRandom;
