//! The last check before a slot is given away for good.

use huddle_ports::Timestamp;
use huddle_schedule::{Interval, Margins, Offer, Times};

use super::facts::{Question, Standing};
use super::{Busy, Matching, UnknownRelationship};
use crate::availability::{Checked, Side};
use crate::booking::{Booking, Place};
use crate::preferences::Preferences;

impl Matching {
    /// Whether a slot can still be given away: it is still offered to the guest, and nothing else is at that time. That
    /// it is soon, meanwhile, does not matter, and what others hold is for the actors to say.
    pub(super) async fn check_place(
        &self,
        booking: &Booking,
        place: &Place,
        deadline: Timestamp,
    ) -> Checked {
        let question = Question {
            host: &booking.asked.host,
            guest: &booking.asked.guest,
            constraints: booking.constraints(),
            offer: place.terms.offer.as_ref(),
            booking: Some(&booking.id),
            acquainted: false,
        };
        match self.fresh(&question, place.slot, deadline).await {
            Ok((standing, calendars)) => checked(&standing, &calendars, place),
            Err(_) => Checked::Unreadable(Side::Host { stranger: true }),
        }
    }
}

/// What is certain comes first: a slot that is taken stays so, whatever else cannot be read.
fn checked(standing: &Standing, [host, guest]: &[Busy; 2], place: &Place) -> Checked {
    let of_host = Side::Host {
        stranger: standing.is_stranger(),
    };
    let (Ok(hosts), Ok(guests)) = (&standing.host, &standing.guest) else {
        return Checked::Busy;
    };
    if !standing.offers_still(place) || meets(host, hosts, place) || meets(guest, guests, place) {
        return Checked::Busy;
    }
    let is_readable = |busy: &Busy| matches!(busy, Busy::Unconnected | Busy::Known(_));
    if !is_readable(guest) {
        return Checked::Unreadable(Side::Guest);
    }
    if standing.relationship.is_err() || !is_readable(host) {
        return Checked::Unreadable(of_host);
    }
    Checked::Free
}

fn meets(busy: &Busy, person: &Preferences, place: &Place) -> bool {
    let Margins {
        before_minutes,
        after_minutes,
    } = person.margins;
    let minutes = |minutes: u16| std::time::Duration::from_secs(u64::from(minutes) * 60);
    let around = place
        .slot
        .widened(minutes(before_minutes), minutes(after_minutes));
    matches!(busy, Busy::Known(busy) if busy.overlaps(around))
}

impl Standing {
    /// Whether the offer is still there, open at the time of the slot, and for the guest as far as that is known.
    fn offers_still(&self, place: &Place) -> bool {
        let record = self
            .records
            .iter()
            .position(|record| place.terms.offer.as_ref() == Some(record));
        let offer = record.map(|index| &self.offers[index]);
        let admits = |offer: &Offer| match &self.relationship {
            Ok(relationship) => relationship.admitted_by(offer.policy),
            Err(UnknownRelationship::Unavailable(_)) => true,
            Err(UnknownRelationship::NoSuchAccount(_)) => false,
        };
        offer.is_some_and(|offer| {
            offer.mode.is_some() && is_open(&offer.times, place.slot) && admits(offer)
        })
    }
}

fn is_open(times: &Times, slot: Interval) -> bool {
    match times {
        Times::Weekly(hours) => hours.windows(slot).covers(slot),
        Times::Once { window, .. } => window.covers(slot),
    }
}
