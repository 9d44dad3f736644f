//! Huddle's decisions.
//!
//! [`actor`] is where everything happens: serial authorities that are rows in a store and ordinary
//! functions over them. [`host_match`] gives a person's time away once, [`booking`] is the life of a
//! meeting, [`rate_limiter`] is how much a caller may ask. What actors want done outside stands in
//! the [`outbox`]. The [`driver`] takes a booking from one actor to the next, and the [`flows`] run
//! it over the ports. Nothing here tells the time or knows a runtime.

pub mod actor;
pub mod availability;
pub mod booking;
pub mod driver;
pub mod flows;
pub mod host_match;
pub mod index;
pub mod limits;
pub mod migrations;
pub mod outbox;
pub mod rate_limiter;
pub mod sql;
pub mod tasks;
pub mod transport;
mod turn;

pub use actor::{ActorKind, ActorName, Ask, Command, Reply, UnknownActor};
pub use huddle_schedule::{EmptyInterval, Interval};
pub use limits::Limits;
pub use sql::{Sql, SqlError};
pub use transport::{ActorTransport, Unreachable};
