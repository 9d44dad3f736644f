//! Huddle's decisions.
//!
//! [`actor`] is where everything happens: serial authorities that are rows in a store and ordinary
//! functions over them. [`host_match`] gives a person's time away once, [`booking`] is the life of a
//! meeting, [`user_connector`] is a person's own affair, [`rate_limiter`] is how much a caller may ask.
//! What actors want done outside stands in the [`outbox`]. The [`driver`] takes a booking from one actor
//! to the next, and the [`flows`] run it over the ports. [`effects`] show the world outside what became of it. Nothing here
//! tells the time or knows a runtime.

pub mod actor;
pub mod agenda;
pub mod availability;
pub mod booking;
pub mod calendar_events;
pub mod constraints;
pub mod direct_messages;
pub mod directory;
pub mod driver;
pub mod effects;
pub mod flows;
pub mod host_match;
pub mod idempotency;
pub mod index;
pub mod invitation;
pub mod limits;
pub mod mail;
pub mod matching;
pub mod migrations;
pub mod offer_records;
pub mod outbox;
pub mod pause;
pub mod preferences;
pub mod rate_limiter;
pub mod sql;
mod tally;
pub mod tasks;
pub mod transport;
mod turn;
pub mod user_connector;
pub mod webhooks;

pub use actor::{ActorKind, ActorName, Ask, Command, Reply, UnknownActor};
pub use huddle_schedule::{EmptyInterval, Interval};
pub use limits::Limits;
pub use sql::{Sql, SqlError};
pub use transport::{ActorTransport, Unreachable};
