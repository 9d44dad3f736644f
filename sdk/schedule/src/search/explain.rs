//! Why a slot is not offered: for the host, and for nobody else.

use huddle_ports::Timestamp;

use super::Search;
use super::field::{Field, bookable, offered, slot, times};
use crate::interval::Interval;
use crate::party::{Obstacle, Role};

/// Why a slot is not offered. It tells when people are busy: only the host may see it, and of others only what the
/// host may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Either side blocks the other.
    Blocked,
    /// The offer of this index is for a closer circle.
    NotAdmitted(usize),
    /// The offer of this index is booked in another way.
    OtherMode(usize),
    /// The offer of this index has no such length, or the guest does not want it.
    OtherLength(usize),
    /// The offer of this index is not open all of the time.
    OutsideOffer(usize),
    /// The offer of this index has no slot that starts then.
    BetweenSlots(usize),
    /// Its start is not one of those of the offer of this index that are told.
    NotTold(usize),
    /// It starts before this moment, the first after the notice and within the booking window.
    TooSoon(Timestamp),
    /// It starts at this moment or later, at which the booking window ends, or what is looked at in one go.
    TooFarAhead(Timestamp),
    /// The booking window has no moment left.
    NothingBookable,
    /// It is at a time that the guest did not ask for.
    NotAsked,
    /// A calendar of the party of this index could not be read.
    Unreadable(usize),
    /// The party of this index cannot be met at that time.
    Closed(usize),
    /// The party of this index is busy then, or within what they keep free around a meeting.
    Busy(usize, Interval),
    /// The party of this index has a meeting: then, with what has to be free around it.
    Meeting(usize, Interval),
    /// The party of this index hosts no more meetings on that day.
    FullDay(usize),
    /// The party of this index hosts no more meetings in that week.
    FullWeek(usize),
    /// Too few of those of whom some have to come can.
    TooFew {
        /// How many can.
        free: usize,
        /// How many have to.
        quorum: usize,
    },
}

impl Search<'_> {
    /// All reasons why a slot is not offered; none where it is. Of a start whose slot is of several lengths only the
    /// one that the host likes best is in [`all`](Self::all), and every one that would do is offered here.
    ///
    /// Reasons that have to do with an offer are given only if no offer has the slot.
    pub fn explain(&self, slot: Interval) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.relationship.blocked {
            reasons.push(Reason::Blocked);
        }
        let per_offer: Vec<_> = (0..self.offers.len())
            .map(|index| self.reason_of_offer(index, slot))
            .collect();
        if per_offer.iter().all(Option::is_some) {
            reasons.extend(per_offer.into_iter().flatten());
        }
        reasons.extend(self.reason_of_time(slot));
        if let Some(field) = Field::new(self) {
            reasons.extend(field.reasons_of_people(slot));
        }
        reasons
    }

    fn reason_of_offer(&self, index: usize, wanted: Interval) -> Option<Reason> {
        let offer = &self.offers[index];
        let lengths = self.constraints.lengths(offered(self, offer));
        let reason = if !self.relationship.admitted_by(offer.policy) && !self.relationship.blocked {
            Reason::NotAdmitted
        } else if !offer.mode.is_some_and(|mode| self.modes.contains(&mode)) {
            Reason::OtherMode
        } else if !lengths
            .iter()
            .any(|minutes| slot(wanted.start(), *minutes) == Some(wanted))
        {
            Reason::OtherLength
        } else {
            let stretches = offer.stretches(self.rules, wanted);
            let open = stretches
                .iter()
                .filter(|stretch| stretch.window.covers(wanted));
            let mut open = open.peekable();
            if open.peek().is_none() {
                Reason::OutsideOffer
            } else if !open.any(|stretch| stretch.starts().next() == Some(wanted.start())) {
                Reason::BetweenSlots
            } else if !self.is_told(index, wanted.start()) {
                Reason::NotTold
            } else {
                return None;
            }
        };
        Some(reason(index))
    }

    fn reason_of_time(&self, slot: Interval) -> Option<Reason> {
        let Some(bookable) = bookable(self) else {
            return Some(Reason::NothingBookable);
        };
        if slot.start() < bookable.start() {
            return Some(Reason::TooSoon(bookable.start()));
        }
        if slot.start() >= bookable.end() {
            return Some(Reason::TooFarAhead(bookable.end()));
        }
        (!times(self, bookable).covers(slot)).then_some(Reason::NotAsked)
    }
}

impl Field<'_> {
    fn reasons_of_people(&self, slot: Interval) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut free = 0;
        let mut of_any = Vec::new();
        for (index, party) in self.search.parties.iter().enumerate() {
            let reason = self
                .obstacle(index, slot)
                .map(|obstacle| reason(index, obstacle));
            match party.role {
                Role::AnyHost if reason.is_none() => free += 1,
                Role::AnyHost => of_any.extend(reason),
                Role::Host | Role::Guest => reasons.extend(reason),
            }
        }
        let quorum = self.search.quorum;
        if free < quorum {
            reasons.push(Reason::TooFew { free, quorum });
            reasons.extend(of_any);
        }
        reasons
    }
}

fn reason(party: usize, obstacle: Obstacle) -> Reason {
    match obstacle {
        Obstacle::Unreadable => Reason::Unreadable(party),
        Obstacle::Closed => Reason::Closed(party),
        Obstacle::Busy(busy) => Reason::Busy(party, busy),
        Obstacle::Meeting(meeting) => Reason::Meeting(party, meeting),
        Obstacle::FullDay => Reason::FullDay(party),
        Obstacle::FullWeek => Reason::FullWeek(party),
    }
}
