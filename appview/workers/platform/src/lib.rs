//! The ports on Cloudflare Workers, for every script that runs there.
//!
//! `fetch` and `dns` ask others, under the policy of `huddle_ports`; [`Network`] puts them together. [`D1Index`] and
//! [`storage`] keep what is kept, [`EdgeCache`] and [`IsolateCache`] remember what was looked up, [`WorkersClock`] tells the time,
//! [`WorkersRandom`] is what nobody can predict, [`config`] reads what an installation is told, and [`log`] says what came of it.

mod cache;
mod clock;
pub mod config;
mod dns;
mod fetch;
mod index;
pub mod log;
mod network;
mod random;
pub mod storage;

pub use cache::{EdgeCache, IsolateCache};
pub use clock::WorkersClock;
pub use config::Misconfigured;
pub use dns::DnsOverHttps;
pub use index::D1Index;
pub use network::{Network, ask};
pub use random::WorkersRandom;
