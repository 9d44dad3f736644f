//! Adapters of Huddle's ports for a tokio process: HTTP, DNS, the time and randomness of the
//! machine it runs on, a store for actors, and the firehose.
//!
//! They decide nothing: whom to ask is for the policy in `huddle_ports` to say.
//!
//! ```no_run
//! use std::sync::Arc;
//! use huddle_native::{ReqwestTransport, SystemDns};
//! use huddle_ports::{FetchPolicy, GuardedFetch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dns = Arc::new(SystemDns::new()?);
//! let transport = ReqwestTransport::new(dns.clone(), "Huddle (+https://huddle.example.com)", &[])?;
//! let fetch = GuardedFetch::new(transport, FetchPolicy::public());
//! # Ok(())
//! # }
//! ```

mod clock;
mod dns;
mod firehose;
mod random;
mod smtp;
mod store;
mod transport;

pub use clock::{SystemClock, TimerPause};
pub use dns::{AddressLookup, DnsSetupError, SystemDns};
pub use firehose::{
    Firehose, FirehosePorts, FirehoseStore, NoWebSocket, WebSocketSetupError, WebSockets,
};
pub use random::OsRandom;
pub use smtp::{SmtpMailer, SmtpProblem, SmtpSetupError};
pub use store::{
    ActorStore, Backlog, BackupError, Condition, Contradiction, Database, OpenError, Pump,
    SqliteIndex, StoreFailed, TaskFailed, TaskRunner, Trouble, keys_in_use,
};
pub use transport::{ReqwestTransport, TransportSetupError};
