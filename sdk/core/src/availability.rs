//! What a booking asks of offers and calendars.

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};
use serde::{Deserialize, Serialize};

use crate::booking::{Booking, BookingId, By, Constraints, Phase, Place, Terms};
use crate::host_match::{Margins, Role};

/// Knows offers, policies and calendars of both sides.
///
/// It answers for what it knows and can read, and by the deadline: somebody waits, and may be told how it
/// stands then. A calendar that cannot be read is never free.
#[async_trait]
pub trait Availability: Send + Sync {
    /// The slots that would suit both sides, the best first. What bookings hold is not its affair.
    async fn search(&self, search: &Search, deadline: Timestamp) -> Found;

    /// Whether a slot is still free in both sides' calendars, asked afresh. What this very booking
    /// has put there does not count.
    async fn check(&self, booking: &Booking, place: &Place, deadline: Timestamp) -> Checked;
}

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Whose offers.
    pub host: Did,
    /// Who asks.
    pub guest: Did,
    /// What would suit.
    pub constraints: Constraints,
    /// The one offer to look at, if only one will do.
    pub offer: Option<AtUri>,
    /// Whether the host has said yes already, where an offer asks for that.
    pub approved: bool,
    /// Whether the host has said yes to the guest, or asks themselves. Then the guest is no stranger any more. A meeting
    /// by itself does not make them known: the host need not have done anything for it.
    pub acquainted: bool,
    /// Until when the guest has to wait if they are a stranger: they have as much with the host as a stranger may.
    pub strangers_wait: Option<Timestamp>,
    /// Whether what is found is confirmed at once, and the guest does not get to see it before.
    pub confirms: bool,
    /// Who asks: the guest, or the host where they move a meeting.
    pub by: Role,
    /// The booking that it is for: what that has put into calendars does not count.
    pub booking: Option<BookingId>,
}

impl Search {
    /// The search that a booking needs, as it stands.
    pub fn of(booking: &Booking) -> Self {
        let by = match &booking.phase {
            Phase::Confirmed {
                change: Some(change),
                ..
            } if change.by == By::Host => Role::Host,
            _ => Role::Guest,
        };
        Self {
            host: booking.asked.host.clone(),
            guest: booking.asked.guest.clone(),
            constraints: booking.constraints().clone(),
            offer: booking.asked.offer.clone(),
            approved: booking.approved,
            acquainted: booking.approved || by == Role::Host,
            strangers_wait: None,
            confirms: booking.is_agreed() || matches!(booking.phase, Phase::Confirmed { .. }),
            by,
            booking: Some(booking.id.clone()),
        }
    }
}

/// What a search comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    /// These, the best first. None, if nothing suits, or if whatever there is must not be known.
    Proposals(Vec<Proposal>),
    /// Something suits, and the host wants to be asked first.
    NeedsApproval(Terms),
    /// The guest is a stranger, who has to wait until then.
    StrangersWait(Timestamp),
    /// A calendar cannot be read.
    Unreadable(Side),
    /// A calendar wants to be asked later, or has not answered by the deadline.
    Delayed(Side),
}

/// Whose calendar it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// One of the guest's own.
    Guest,
    /// One of the host's.
    Host {
        /// Whether the guest is a stranger to the host: to them it is as if nothing suited.
        stranger: bool,
    },
}

/// A slot that would suit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The slot and its offer.
    pub place: Place,
    /// What the host wants around it.
    pub host: Margins,
    /// What the guest wants around it.
    pub guest: Margins,
}

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Checked {
    /// The slot is free.
    Free,
    /// It is not.
    Busy,
    /// A calendar cannot be read.
    Unreadable(Side),
}
