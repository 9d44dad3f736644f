//! Pure time for scheduling: which intervals suit, and which of them suits best.
//!
//! Nothing here asks for the time, a file or the network: what a function needs is given to it.

pub mod busy;
pub mod constraints;
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
