//! Pure time for scheduling: which intervals suit, and which of them suits best.
//!
//! Nothing here asks for the time, a file or the network: what a function needs is given to it.
//!
//! - [`Interval`] and [`IntervalSet`] are stretches of time, half open; [`Zone`] says what local times mean.
//! - [`OfficeHours`] and [`Offer`]s say when a host can be booked, [`Rules`] how, [`busy`] what of a calendar takes
//!   time away. [`icalendar`] reads calendars and writes invitations, [`recurrence`] repeats events.
//! - A [`Search`] takes all of that, and who is to come, to the slots that suit: ranked, in order, or with the reason
//!   why one does not.
//! - [`policy`] says who may book, [`disclosure`] how little a stranger gets to know.
//!
//! Local times that a clock change skips shift forward, of those that occur twice the first counts, and steps from slot
//! to slot count time that passes. Whatever grows has a limit, which stands where it grows: searches look at
//! [`MAX_DAYS`](hours::MAX_DAYS) days.

pub mod busy;
pub mod constraints;
mod dates;
pub mod disclosure;
mod grid;
pub mod hours;
pub mod icalendar;
pub mod interval;
pub mod local;
pub mod offer;
pub mod party;
pub mod policy;
pub mod rank;
pub mod recurrence;
pub mod search;
mod text;
pub mod zone;

pub use constraints::{Constraints, Contradiction};
pub use hours::OfficeHours;
pub use interval::{EmptyInterval, Interval, IntervalSet};
pub use local::{DateOverride, InvalidTime, LocalTime, LocalWindow, WeeklyRule};
pub use offer::{Alignment, BookingWindow, Mode, Offer, Rules, Times};
pub use party::{Calendar, Caps, Margins, Meeting, Party, Role};
pub use policy::{Circle, Relationship, UnknownPolicy};
pub use rank::{Score, Weights};
pub use search::{Candidate, Match, Reason, Search};
pub use zone::{UnknownZone, Zone};
