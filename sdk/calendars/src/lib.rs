//! Calendars that stay private: what they say about busy time, and the events that bookings put there.
//!
//! A [`Calendar`] is a published [`Feed`] or a calendar on a [`CalDav`] server, which [`discover`] finds. All requests
//! go through the [`Fetch`](huddle_ports::Fetch) port and its policy; the time is given; nothing is stored and nothing
//! is tried again. Credentials and addresses are parameters that do not show themselves in `Debug`.
//!
//! [`ConnectedCalendars`] is what people have connected: it opens what the actors keep sealed, asks those calendars, and
//! remembers for a short while what they said.
//!
//! A calendar that cannot be read is never free: every answer is either all the time that is taken, or a
//! [`CalendarError`] that says what is to be done.
//!
//! ```
//! use huddle_calendars::{
//!     BookingEvent, BusyQuery, CalDav, Calendar, CalendarError, Credentials, EventKey, discover,
//! };
//! use huddle_ports::{Fetch, Timestamp};
//! use huddle_schedule::busy::Status;
//! use huddle_schedule::{Interval, Zone};
//!
//! /// Holds a slot in the first calendar of an account, unless something is in its way.
//! async fn hold(
//!     fetch: &dyn Fetch,
//!     now: Timestamp,
//!     credentials: Credentials,
//!     slot: Interval,
//! ) -> Result<Option<String>, CalendarError> {
//!     let found = discover(fetch, now, "ana@example.com", &credentials).await?;
//!     let first = found.into_iter().next().ok_or(CalendarError::NotACalendar)?;
//!     let calendar = Calendar::CalDav(CalDav::new(first.collection, credentials, first.access));
//!
//!     let key = EventKey::new("booking@huddle.example", "did:plc:ana");
//!     let query = BusyQuery::new(slot, Zone::UTC).ignoring(key.uid());
//!     if !calendar.busy(fetch, now, &query, None).await?.busy.is_empty() {
//!         return Ok(None);
//!     }
//!     let event = BookingEvent {
//!         time: slot,
//!         status: Status::Tentative,
//!         sequence: 0,
//!         summary: "Hold: a meeting with Bob",
//!         description: None,
//!         location: None,
//!     };
//!     calendar.put_event(fetch, now, &key, &event, None).await.map(Some)
//! }
//! ```

mod caldav;
mod calendar;
mod connected;
mod credentials;
mod error;
mod event;
mod feed;
mod http;
mod icalendar;
mod snapshot;

pub use caldav::{
    Access, CalDav, Changes, FoundCalendar, MAX_CALENDARS, ServiceDns, discover, locate,
};
pub use calendar::{BusyQuery, Calendar};
pub use connected::{CalendarPorts, ConnectedCalendars, Given, NotConnected};
pub use credentials::{Credentials, InvalidCredentials};
pub use error::CalendarError;
pub use event::{BookingEvent, EventKey, EventState};
pub use feed::{Feed, InvalidFeedUrl};
pub use http::{MAX_ANSWER_BYTES, REQUEST_TIMEOUT};
pub use snapshot::{MAX_SNAPSHOT_AGE, Snapshot};
