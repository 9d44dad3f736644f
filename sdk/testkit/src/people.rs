//! People who know each other, and are busy, as they are told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use huddle_core::Interval;
use huddle_core::booking::BookingId;
use huddle_core::matching::{
    Busy, Calendars, Connected, Freshness, Relationships, UnknownRelationship,
};
use huddle_ports::Timestamp;
use huddle_schedule::{Circle, Relationship};
use huddle_syntax::Did;

/// Stands in for the social graph and for calendars. Until something else is said, nobody follows or blocks anybody,
/// and nobody has connected a calendar.
#[derive(Debug, Default)]
pub struct ListedPeople(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    relationships: HashMap<(Did, Did), Result<Relationship, UnknownRelationship>>,
    calendars: HashMap<Did, Busy>,
    /// What bookings have put into calendars.
    events: Vec<(Did, BookingId, Interval)>,
    asked: Vec<Freshness>,
}

impl ListedPeople {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How `guest` stands to `host` from now on.
    pub fn relate(
        &self,
        host: &Did,
        guest: &Did,
        relationship: Result<Relationship, UnknownRelationship>,
    ) {
        let pair = (host.clone(), guest.clone());
        self.said().relationships.insert(pair, relationship);
    }

    /// What the calendars of `person` say from now on.
    pub fn set_calendars(&self, person: &Did, busy: Busy) {
        self.said().calendars.insert(person.clone(), busy);
    }

    /// Puts an event of a booking into the calendars of `person`.
    pub fn add_event(&self, person: &Did, booking: &BookingId, time: Interval) {
        let event = (person.clone(), booking.clone(), time);
        self.said().events.push(event);
    }

    /// How fresh the answers were to be that have been asked for since the last time.
    pub fn take_asked(&self) -> Vec<Freshness> {
        std::mem::take(&mut self.said().asked)
    }
}

#[async_trait]
impl Relationships for ListedPeople {
    async fn between(
        &self,
        host: &Did,
        guest: &Did,
        freshness: Freshness,
        _deadline: Timestamp,
    ) -> Result<Relationship, UnknownRelationship> {
        let mut said = self.said();
        said.asked.push(freshness);
        let said = said.relationships.get(&(host.clone(), guest.clone()));
        let nobody = Relationship {
            circle: Circle::Anyone,
            blocked: false,
        };
        said.cloned().unwrap_or(Ok(nobody))
    }
}

#[async_trait]
impl Calendars for ListedPeople {
    async fn busy(
        &self,
        person: &Did,
        _connected: &Connected,
        within: Interval,
        but: Option<&BookingId>,
        freshness: Freshness,
        _deadline: Timestamp,
    ) -> Busy {
        let mut said = self.said();
        said.asked.push(freshness);
        let Some(Busy::Known(busy)) = said.calendars.get(person) else {
            let said = said.calendars.get(person);
            return said.cloned().unwrap_or(Busy::Unconnected);
        };
        let events = said.events.iter();
        let events = events.filter(|(whose, id, _)| whose == person && Some(id) != but);
        let busy = busy.iter().chain(events.map(|(_, _, time)| *time));
        Busy::Known(busy.filter(|time| time.overlaps(within)).collect())
    }
}
