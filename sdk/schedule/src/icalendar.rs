//! iCalendar (RFC 5545): calendars of all kinds read into busy time, and invitations written.
//!
//! Reading never takes an event for free time because it cannot be understood. What a text lacks as a whole is a
//! [`ReadError`]. An event whose times cannot be read counts as busy from its start (or from the beginning of the
//! window, if not even that can be read) to the end of the window; one in a zone that nobody knows counts for as
//! long as it may be on, wherever that is. [`Busy::problems`] names it, so that its owner can be told.
//!
//! ```
//! use huddle_schedule::busy::BusyRules;
//! use huddle_schedule::icalendar::{Agenda, Limits, Owner, decode, parse};
//! use huddle_schedule::{Interval, Zone};
//! # use huddle_ports::Timestamp;
//! let file = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260301T090000Z\r\n\
//!     DURATION:PT30M\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
//! let limits = Limits::default();
//! let text = decode(file);
//! let components = parse(&text, &limits)?;
//! let agenda = Agenda::of(&components, limits);
//! # let (march, april) = (1_772_323_200_000, 1_775_001_600_000);
//! let window = Interval::new(Timestamp::from_millis(march), Timestamp::from_millis(april)).unwrap();
//! let owner = Owner { zone: "Europe/Berlin".parse()?, addresses: &[] };
//! let busy = agenda.busy(window, owner, &BusyRules::default(), None);
//! assert_eq!(busy.intervals.len(), 5, "five Sundays");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agenda;
mod component;
mod event;
mod invitation;
mod marks;
mod text;
mod value;
mod vtimezone;
mod windows;
mod zones;

pub use agenda::{Agenda, Busy, Expansion, Kind, Occurrence, Owner, Problem, Trouble};
pub use component::{Component, Property, parse};
pub use invitation::{
    Attendee, CalendarAddress, Invitation, Method, Participation, Person, WriteError,
};
pub use text::{decode, plain};

/// How much of a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a text.
    pub bytes: usize,
    /// The most `VEVENT`s.
    pub events: usize,
    /// The most content lines.
    pub lines: usize,
    /// How deep components may lie within each other.
    pub depth: usize,
    /// The most occurrences of one rule within a window.
    pub occurrences: usize,
    /// The most occurrences of all events together within a window.
    pub all_occurrences: usize,
    /// The most steps that expanding all rules may take, as [`Occurrences::steps`] counts them.
    ///
    /// [`Occurrences::steps`]: crate::recurrence::Occurrences::steps
    pub steps: u64,
}

impl Default for Limits {
    /// 5 MiB, 20,000 events, 500,000 lines, 16 levels, 10,000 occurrences of a rule and 200,000 in all, 5 million
    /// steps: together below a second.
    fn default() -> Self {
        Self {
            bytes: 5 << 20,
            events: 20_000,
            lines: 500_000,
            depth: 16,
            occurrences: 10_000,
            all_occurrences: 200_000,
            steps: 5_000_000,
        }
    }
}

/// Why a text cannot be read at all. It says nothing of anybody's time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The text is longer than allowed.
    #[error("the calendar has more than {most} bytes: publish fewer events, or a shorter period")]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// There are more lines than allowed.
    #[error("the calendar has more than {most} lines: publish fewer events, or a shorter period")]
    TooManyLines {
        /// The limit.
        most: usize,
    },
    /// There are more events than allowed.
    #[error("the calendar has more than {most} events: publish fewer, or a shorter period")]
    TooManyEvents {
        /// The limit.
        most: usize,
    },
    /// Components lie deeper within each other than allowed.
    #[error("the calendar has components more than {most} deep")]
    TooDeep {
        /// The limit.
        most: usize,
    },
    /// A component is never closed: the end of the text is missing.
    #[error("the calendar is cut off: {component:?} has no end")]
    CutOff {
        /// The outermost that is open at the end.
        component: String,
    },
    /// It is another kind of text, or none.
    #[error("this is no calendar: nothing begins with BEGIN:")]
    NoComponent,
}
