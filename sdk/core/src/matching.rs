//! Finds the times that suit host and guest: what stands behind [`Availability`].
//!
//! A search asks twice: for offers, preferences and how the two stand to each other, and then for calendars and for
//! what was given away already, all at once each time. What was told once is not asked again. What is made of it is
//! decided without asking anything: the guest's own calendars before everything else, so that they tell nothing of the
//! host, then who may book at all, and then which slots suit.
//!
//! One question is about one host, and about a year at most. It looks at so many offers, those that open first
//! ([`Limits::search_offers`]); where meetings could start at too many moments of them ([`Limits::search_starts`]), it
//! looks at fewer days. Nothing is out of reach for that: a question about a later time looks there, and one that names
//! an offer looks at that.
//!
//! Strangers, whom the host has done nothing to know, get little: they are answered for whole blocks of time, of each
//! day they are told of the same few starts as all others of them, one slot for one question, and of each week only so
//! many answers together. Whatever the reason is that there is no slot for them, none of it shows.

mod bounds;
mod budget;
mod calendars;
mod check;
mod facts;
mod listing;
mod offers;
mod proposals;
mod relationships;
mod scene;
mod wishes;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{Clock, Timestamp};
use huddle_schedule::disclosure::DisclosureKey;
use huddle_syntax::Did;

use crate::availability::{Availability, Checked, Found, Search};
use crate::booking::{Booking, Place};
use crate::index::Index;
use crate::limits::{Limits, secs};
use crate::transport::ActorTransport;

pub use calendars::{Busy, Calendars, Connected, NoCalendars};
pub use listing::{InvalidSlotToken, ListedSlot, Listing, ListingFailed, SlotQuery, Slots};
pub use offers::{office_hours, slot_offer};
pub use relationships::{Relationships, UnknownRelationship};

/// Finds times by what hosts have published, by everybody's preferences, calendars and meetings, and by how they stand
/// to each other.
#[derive(Clone)]
pub struct Matching {
    sources: Sources,
    service: Did,
    key: DisclosureKey,
    limits: Arc<Limits>,
}

/// What is asked when times are searched.
#[derive(Clone)]
pub struct Sources {
    /// Offers, and who serves whom.
    pub index: Arc<dyn Index>,
    /// Preferences, what was given away, and what strangers were told.
    pub actors: Arc<dyn ActorTransport>,
    /// Who follows and who blocks whom.
    pub relationships: Arc<dyn Relationships>,
    /// When people are busy.
    pub calendars: Arc<dyn Calendars>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matching")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Matching {
    /// Finds times for the hosts that `service` serves: those whose `com.huddle.service` record names it.
    ///
    /// `key` chooses what strangers are told, and signs slots that are listed. With another key they are told of other
    /// slots, which is more than they should know: it is kept for ever.
    pub fn new(sources: Sources, service: Did, key: DisclosureKey, limits: Arc<Limits>) -> Self {
        Self {
            sources,
            service,
            key,
            limits,
        }
    }

    /// What strangers can ask for at the narrowest.
    fn narrowest(&self) -> Duration {
        secs(self.limits.narrowest_secs)
    }
}

#[async_trait]
impl Availability for Matching {
    async fn search(&self, search: &Search, deadline: Timestamp) -> Found {
        self.propose(search, deadline).await
    }

    async fn check(&self, booking: &Booking, place: &Place, deadline: Timestamp) -> Checked {
        self.check_place(booking, place, deadline).await
    }
}

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// As it was a short while ago: good enough to propose something.
    Recent,
    /// As it is now: time is about to be given away for good.
    Fresh,
}
