//! Offers and calendars.

use async_trait::async_trait;
use huddle_core::availability::{Availability, Checked, Found, Search, Side};
use huddle_core::booking::{Booking, Chosen, Place};
use huddle_core::matching::{InvalidSlotToken, Listing, ListingFailed, SlotQuery, Slots};
use huddle_ports::Timestamp;
use huddle_schedule::disclosure::InvalidToken;
use huddle_syntax::Did;

/// What there is to say as long as no calendar is connected to this Worker: none can be read, so
/// nothing is free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoCalendars;

#[async_trait]
impl Availability for NoCalendars {
    async fn search(&self, _: &Search, _: Timestamp) -> Found {
        Found::Unreadable(Side::Host { stranger: false })
    }

    async fn check(&self, _: &Booking, _: &Place, _: Timestamp) -> Checked {
        Checked::Unreadable(Side::Host { stranger: false })
    }
}

#[async_trait]
impl Slots for NoCalendars {
    async fn slots(&self, _: &SlotQuery, _: Timestamp) -> Result<Listing, ListingFailed> {
        Err(ListingFailed::CalendarUnavailable)
    }

    fn chosen(&self, _: &str, _: &Did, _: &Did) -> Result<Chosen, InvalidSlotToken> {
        Err(InvalidSlotToken::from(InvalidToken::Malformed))
    }
}
