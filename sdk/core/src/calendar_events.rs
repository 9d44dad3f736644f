//! What bookings have in their parties' calendars: which event there is to be, and the port that brings it there.

use std::time::Duration;

use async_trait::async_trait;
use huddle_schedule::Interval;
use huddle_syntax::Did;

use crate::booking::{Booking, Phase};

/// Writes, moves and removes the events of bookings.
#[async_trait]
pub trait CalendarEvents: Send + Sync {
    /// Has the calendar of `person` show of a booking what it is now: an event, or none. `with` is what the other
    /// party is called.
    ///
    /// To bring the same again does nothing. Of two changes the later one is to be brought later: who calls this sees
    /// to it that one is brought at a time for a booking and a person.
    async fn bring(&self, person: &Did, booking: &Booking, with: &str) -> Outcome;
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The calendar shows it, or the person has connected none that is written to.
    Done,
    /// It may work later: after this time, if the calendar's server says so.
    RetryAfter(Option<Duration>),
    /// It will not work until somebody does something. Says why, and nothing that is private.
    Permanent(String),
}

/// What a booking is to have in the calendar of each of its parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedTime {
    /// When it is.
    pub slot: Interval,
    /// Whether it is settled, or held for now.
    pub is_confirmed: bool,
}

impl BookedTime {
    /// The time that a booking takes as it stands; `None` if it takes none. A meeting that is being moved is where it
    /// was until it is confirmed elsewhere.
    pub fn of(booking: &Booking) -> Option<Self> {
        let (place, is_confirmed) = match &booking.phase {
            Phase::Held { place, .. } | Phase::Finalizing { place, .. } => (place, false),
            Phase::Confirmed { place, .. } => (place, true),
            Phase::Pending { .. }
            | Phase::Unmatched
            | Phase::Declined
            | Phase::Canceled { .. }
            | Phase::Expired(_) => return None,
        };
        Some(Self {
            slot: place.slot,
            is_confirmed,
        })
    }
}
