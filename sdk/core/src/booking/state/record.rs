//! What a booking consists of.

use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};
use serde::{Deserialize, Serialize};

use crate::booking::Attempt;
use crate::host_match::Role;
use huddle_schedule::Interval;
pub use huddle_schedule::Mode;

/// What was asked for. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Whose offer.
    pub host: Did,
    /// Who asks.
    pub guest: Did,
    /// What would suit.
    pub constraints: Constraints,
    /// The one offer to look at, if only one will do.
    pub offer: Option<AtUri>,
    /// What the guest would like to talk about.
    pub note: Option<String>,
    /// The record that asks, where it was no call.
    pub request: Option<AtUri>,
    /// Whether asking counts as accepting what is found.
    pub accepted: bool,
}

impl Asked {
    /// That `guest` asks `host` for any slot, by a call, and wants to see it first.
    pub fn new(host: Did, guest: Did) -> Self {
        Self {
            host,
            guest,
            constraints: Constraints::default(),
            offer: None,
            note: None,
            request: None,
            accepted: false,
        }
    }

    /// Somebody's DID by their part, and the other side's.
    pub fn sides(&self, party: Role) -> (&Did, &Did) {
        match party {
            Role::Host => (&self.host, &self.guest),
            Role::Guest => (&self.guest, &self.host),
        }
    }
}

/// What would suit. Everything that is absent is up to the offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraints {
    /// Shortest length in minutes.
    pub duration_min: Option<u32>,
    /// Longest length in minutes.
    pub duration_max: Option<u32>,
    /// The meeting begins then or later.
    pub earliest: Option<Timestamp>,
    /// The meeting ends then or earlier.
    pub latest: Option<Timestamp>,
    /// Days of the week, Monday being 0, in `tz`. Empty means any.
    pub days: Vec<u8>,
    /// IANA time zone of the guest.
    pub tz: Option<String>,
    /// The one slot that will do, where slots are listed and the guest has chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Box<Chosen>>,
}

/// A slot that was listed to the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The offer or office hours that it belongs to.
    pub offer: AtUri,
    /// When it is.
    pub slot: Interval,
    /// The first moment at which it is too late to ask for it. What was asked for in time stands.
    #[serde(default = "never")]
    pub expires: Timestamp,
}

fn never() -> Timestamp {
    Timestamp::MAX
}

impl From<Chosen> for Constraints {
    /// That slot and no other.
    fn from(chosen: Chosen) -> Self {
        Self {
            chosen: Some(Box::new(chosen)),
            ..Self::default()
        }
    }
}

/// A slot, and the offer that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When.
    pub slot: Interval,
    /// On which terms.
    pub terms: Terms,
}

/// What an offer says of every slot in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The offer or office hours.
    pub offer: Option<AtUri>,
    /// Its IANA time zone.
    pub tz: String,
    /// How it is booked.
    pub mode: Mode,
    /// Whether the guest's calendars were looked at.
    pub guest_side: GuestSide,
}

/// Whether the guest's calendars were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestSide {
    /// All of them.
    Checked,
    /// None is connected here, or it is not for this service to look at them: the guest has named another one.
    Unchecked,
}

/// Where a booking stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// No slot yet.
    Pending {
        /// What for.
        waiting: Waiting,
        /// When it is given up.
        until: Timestamp,
    },
    /// A slot is held for the present attempt.
    Held {
        /// Which one.
        place: Place,
        /// Until when.
        until: Timestamp,
        /// Whether the guest has accepted it, and it was a calendar of the host's that kept it from being
        /// confirmed.
        accepted: bool,
    },
    /// The slot of the present attempt is being confirmed.
    Finalizing {
        /// Which one.
        place: Place,
        /// Until when it is held, should the confirming be put off.
        until: Timestamp,
    },
    /// The meeting stands.
    Confirmed {
        /// The attempt that found its slot.
        attempt: Attempt,
        /// When and where from.
        place: Place,
        /// A move to another slot that is under way, for the present attempt.
        change: Option<Change>,
    },
    /// Nothing suited: for the guest, there never was a booking.
    Unmatched,
    /// The host said no.
    Declined,
    /// One side called it off.
    Canceled {
        /// When the meeting would have been, if it was confirmed.
        place: Option<Place>,
    },
    /// It came to nothing by itself.
    Expired(Expiry),
}

impl Phase {
    /// One word for where the booking stands, as the lexicon and lists have it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Held { .. } => "held",
            Self::Finalizing { .. }
            | Self::Confirmed {
                change: Some(_), ..
            } => "finalizing",
            Self::Confirmed { .. } => "confirmed",
            Self::Declined => "declined",
            Self::Canceled { .. } => "canceled",
            Self::Unmatched | Self::Expired(_) => "expired",
        }
    }

    /// The slot that the meeting has, or would have; while it is being moved, the old one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Held { place, .. }
            | Self::Finalizing { place, .. }
            | Self::Confirmed { place, .. } => Some(place),
            Self::Canceled { place } => place.as_ref(),
            Self::Pending { .. } | Self::Unmatched | Self::Declined | Self::Expired(_) => None,
        }
    }
}

/// What a pending booking waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Waiting {
    /// A search that is under way.
    Search,
    /// A calendar that does not answer.
    Calendar,
    /// The host's yes.
    Approval,
}

/// A move of a confirmed booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// How far it is.
    pub stage: Stage,
    /// Who moves it.
    pub by: By,
    /// What would suit.
    pub constraints: Constraints,
    /// A word to the other party.
    pub reason: Option<String>,
}

/// How far a move is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A slot is searched for.
    Seeking,
    /// The slot is being confirmed.
    Finalizing(Place),
}

/// Why a booking came to nothing by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// Nobody, or no calendar, answered in time.
    Unanswered,
    /// Once the calendars answered, nothing suited.
    NoMatch,
    /// The hold ran out.
    Hold,
    /// The last check found the slot taken.
    SlotTaken,
}

/// Why a search came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoMatch {
    /// No time suits both sides.
    NoSlot,
    /// The last check found the slot taken.
    SlotTaken,
    /// A connected calendar could not be read.
    CalendarUnavailable,
    /// The guest may not hold another slot before then.
    TooManyHolds {
        /// When they may.
        retry_at: Timestamp,
    },
}

impl NoMatch {
    /// Whether the same request may do better later.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::NoSlot | Self::SlotTaken => false,
            Self::CalendarUnavailable | Self::TooManyHolds { .. } => true,
        }
    }
}

/// Something that happened to a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Who did it.
    pub by: By,
    /// The slot from then on.
    pub slot: Option<Interval>,
}

/// What can happen to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// It was asked for.
    Requested,
    /// A slot was held.
    Held,
    /// The host said yes.
    Approved,
    /// The meeting stands.
    Confirmed,
    /// It was moved.
    Rescheduled,
    /// The host said no.
    Declined,
    /// It was called off.
    Canceled,
    /// It came to nothing by itself.
    Expired,
}

impl EventKind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Held => "held",
            Self::Approved => "approved",
            Self::Confirmed => "confirmed",
            Self::Rescheduled => "rescheduled",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The host.
    Host,
    /// The guest.
    Guest,
    /// The service by itself.
    Service,
}
