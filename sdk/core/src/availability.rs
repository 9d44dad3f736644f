//! What a booking asks of offers and calendars.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::booking::{Booking, Place};
use crate::host_match::Margins;

/// Knows offers, policies and calendars of both sides.
///
/// It answers for what it knows and can read. A calendar that cannot be read is never free.
#[async_trait]
pub trait Availability: Send + Sync {
    /// The slots that would suit both sides of a booking, the best first. What other bookings hold is
    /// not its affair.
    async fn search(&self, booking: &Booking) -> Found;

    /// Whether a slot is still free in both sides' calendars, asked afresh. What this very booking
    /// has put there does not count.
    async fn check(&self, booking: &Booking, place: &Place) -> Checked;
}

/// What a search comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    /// These, the best first. None, if nothing suits, or if whatever there is must not be known.
    Proposals(Vec<Proposal>),
    /// Something suits, and the host wants to be asked first.
    NeedsApproval(crate::booking::Terms),
    /// A calendar cannot be read.
    Unreadable,
    /// A calendar wants to be asked later.
    Delayed,
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
    Unreadable,
}
