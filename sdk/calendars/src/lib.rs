//! Calendars that stay private: what they say about busy time, and the events that bookings put there.
//!
//! A [`Calendar`] is a published [`Feed`] or a calendar on a [`CalDav`] server, which [`discover`] finds. All requests
//! go through the [`Fetch`](huddle_ports::Fetch) port and its policy; the time is given; nothing is stored and nothing
//! is tried again. Credentials and addresses are parameters that do not show themselves in `Debug`.
//!
//! A calendar that cannot be read is never free: every answer is either all the time that is taken, or a
//! [`CalendarError`] that says what is to be done.

mod caldav;
mod calendar;
mod credentials;
mod error;
mod event;
mod feed;
mod http;
mod icalendar;
mod snapshot;

pub use caldav::{Access, CalDav, Changes, FoundCalendar, MAX_CALENDARS, discover};
pub use calendar::{BusyQuery, Calendar};
pub use credentials::{Credentials, InvalidCredentials};
pub use error::CalendarError;
pub use event::{BookingEvent, EventKey, EventState};
pub use feed::{Feed, InvalidFeedUrl};
pub use http::{MAX_ANSWER_BYTES, REQUEST_TIMEOUT};
pub use snapshot::{MAX_SNAPSHOT_AGE, Snapshot};
