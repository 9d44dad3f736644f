//! The calendars that people have connected: what a [`UserConnector`](huddle_core::user_connector) keeps sealed is
//! opened here, and only busy time and outcomes leave.
//!
//! What was read is kept, sealed too, and is good for a few minutes to propose something. A person's calendars are read
//! once however many ask at the same time: in one process those who ask share one future, and of several processes one
//! has a lease. What is given away for good is asked afresh, of the events themselves, so that ours can be left out.

mod account;
mod connecting;
mod events;
mod hurry;
mod measured;
mod reading;
mod sign_ins;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use huddle_core::booking::BookingId;
use huddle_core::matching::{Busy, Calendars, Freshness};
use huddle_core::preferences::InvalidPreferences;
use huddle_core::transport::{Unreachable, ask};
use huddle_core::user_connector::connector::{
    BeginReading, BeingRead, Calendars as Known, EndReading,
};
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::{ActorName, ActorTransport, Ask, Interval, Limits};
use huddle_ports::{Clock, Fetch, Metrics, NoMetrics, Random, Timestamp};
use huddle_schedule::busy::BusyRules;
use huddle_schedule::{Zone, icalendar};
use huddle_syntax::Did;

use crate::caldav::ServiceDns;
use crate::calendar::BusyQuery;
use sign_ins::SignIns;

pub use connecting::{Given, NotConnected};

/// How far ahead calendars are read at least: a little more than can be booked unless a host wants more, so that most
/// questions are answered by what was read for another.
const HORIZON: Duration = Duration::from_hours(64 * 24);

/// What connected calendars are reached by.
#[derive(Clone)]
pub struct CalendarPorts {
    /// The actors, which keep accounts.
    pub actors: Arc<dyn ActorTransport>,
    /// The network.
    pub fetch: Arc<dyn Fetch>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What nonces and ids are made of.
    pub random: Arc<dyn Random>,
}

/// Reads and writes the calendars that people have connected.
#[derive(Clone)]
pub struct ConnectedCalendars(Arc<Inner>);

struct Inner {
    ports: CalendarPorts,
    keys: KeyRing,
    /// How old what was read may be.
    keep: Duration,
    /// How long a request may take.
    request_timeout: Duration,
    /// How much of a calendar is read.
    reading: icalendar::Limits,
    /// Tells this process from others.
    reader: String,
    metrics: Arc<dyn Metrics>,
    dns: Option<Arc<dyn ServiceDns>>,
    sign_ins: SignIns,
    flights: Mutex<HashMap<(Did, Interval), WeakShared<Flight>>>,
}

impl Clone for Inner {
    /// Shares no readings.
    fn clone(&self) -> Self {
        Self {
            ports: self.ports.clone(),
            keys: self.keys.clone(),
            keep: self.keep,
            request_timeout: self.request_timeout,
            reading: self.reading,
            reader: self.reader.clone(),
            metrics: Arc::clone(&self.metrics),
            dns: self.dns.clone(),
            sign_ins: self.sign_ins.clone(),
            flights: Mutex::default(),
        }
    }
}

/// A reading under way, which all who ask for the same wait for.
type Flight = BoxFuture<'static, Busy>;

impl ConnectedCalendars {
    /// Those of an installation with these limits.
    pub fn new(ports: CalendarPorts, keys: KeyRing, limits: &Limits) -> Self {
        let mut reader = [0; 16];
        ports.random.fill(&mut reader);
        Self(Arc::new(Inner {
            ports,
            keys,
            keep: Duration::from_secs(limits.calendar_cache_secs.into()),
            request_timeout: Duration::from_secs(limits.calendar_request_secs.into()),
            reading: reading_limits(limits),
            reader: HEXLOWER.encode(&reader),
            metrics: Arc::new(NoMetrics),
            dns: None,
            sign_ins: SignIns::default(),
            flights: Mutex::default(),
        }))
    }

    /// The same, and DNS is asked where the calendars of an e-mail address are.
    #[must_use]
    pub fn located_by(mut self, dns: Arc<dyn ServiceDns>) -> Self {
        Arc::make_mut(&mut self.0).dns = Some(dns);
        self
    }

    /// The same, and how long providers take is measured. Readings under way are shared with those that are made of this.
    #[must_use]
    pub fn measured(mut self, metrics: Arc<dyn Metrics>) -> Self {
        Arc::make_mut(&mut self.0).metrics = metrics;
        self
    }

    /// The network over which they are reached.
    pub fn network(&self) -> Arc<dyn Fetch> {
        Arc::clone(&self.0.ports.fetch)
    }

    async fn ask<A: Ask>(&self, person: &Did, question: A) -> Result<A::Answer, Unreachable> {
        let actor = ActorName::user_connector(person);
        ask(&*self.0.ports.actors, &actor, question).await
    }

    /// What was asked, answered by a reading that others may be waiting for already.
    fn flight(&self, person: &Did, window: Interval, deadline: Timestamp) -> Shared<Flight> {
        let mut flights = self.0.flights.lock();
        let flights = flights.as_mut().unwrap_or_else(PoisonError::get_mut);
        flights.retain(|_, flight| flight.upgrade().is_some());
        let key = (person.clone(), window);
        if let Some(flight) = flights.get(&key).and_then(WeakShared::upgrade) {
            return flight;
        }
        let (this, person) = (self.clone(), person.clone());
        let flight = async move { this.fly(&person, window, deadline).await };
        let flight = flight.boxed().shared();
        flights.extend(flight.downgrade().map(|weak| (key, weak)));
        flight
    }

    /// Reads all of a person's calendars, unless somebody has just done that.
    async fn fly(&self, person: &Did, window: Interval, deadline: Timestamp) -> Busy {
        let reader = self.0.reader.clone();
        let begin = BeginReading {
            reader: reader.clone(),
        };
        let known = match self.ask(person, begin).await {
            Ok(Ok(known)) => known,
            Ok(Err(BeingRead)) => return Busy::Delayed,
            Err(_) => return Busy::Unreadable,
        };
        let Ok(asked) = Asked::new(&known, window, None, self.0.reading) else {
            return Busy::Unreadable;
        };
        let (busy, outcomes) = match self.remembered(&known, &asked) {
            Some(busy) => (busy, Vec::new()),
            None => self.read(&known, &asked, self.hurry(deadline)).await,
        };
        let end = EndReading {
            reader: Some(reader),
            outcomes,
        };
        // If that is lost, the next one reads once more.
        let _ = self.ask(person, end).await;
        busy
    }

    /// Reads all of a person's calendars for one booking, and keeps only what went wrong.
    async fn read_for(
        &self,
        person: &Did,
        known: &Known,
        asked: &Asked<'_>,
        deadline: Timestamp,
    ) -> Busy {
        let (busy, mut outcomes) = self.read(known, asked, self.hurry(deadline)).await;
        outcomes.retain(|read| read.outcome.is_err());
        if !outcomes.is_empty() {
            let end = EndReading {
                reader: None,
                outcomes,
            };
            // If that is lost, the next one finds out for itself.
            let _ = self.ask(person, end).await;
        }
        busy
    }

    fn hurry(&self, deadline: Timestamp) -> hurry::Hurry<'_> {
        let CalendarPorts { fetch, clock, .. } = &self.0.ports;
        let deadline = deadline.min(clock.now() + self.0.request_timeout);
        hurry::Hurry::new(&**fetch, &**clock, deadline)
    }

    /// What is read when a stretch of time is asked for: whole days, and as far as most questions go.
    fn window(&self, within: Interval) -> Interval {
        let now = self.0.ports.clock.now();
        let start = within.start().min(now);
        let end = within.end().max(now + HORIZON);
        let wide = Interval::new(start, end).unwrap_or(within);
        BusyQuery::new(wide, Zone::UTC).in_whole_days().window
    }
}

/// What is asked of all calendars of a person.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    window: Interval,
    /// Where dates and floating times are, unless a calendar says so itself.
    zone: Zone,
    /// Which events take time.
    rules: BusyRules,
    /// The booking whose events do not count.
    but: Option<&'a BookingId>,
    /// How much of each is read.
    limits: icalendar::Limits,
}

impl<'a> Asked<'a> {
    /// By what the person has set; nothing can be said of somebody whose preferences cannot be read.
    fn new(
        known: &Known,
        window: Interval,
        but: Option<&'a BookingId>,
        limits: icalendar::Limits,
    ) -> Result<Self, InvalidPreferences> {
        let preferences = known.preferences.read()?;
        Ok(Self {
            window,
            zone: preferences.rules.zone,
            rules: preferences.busy,
            but,
            limits,
        })
    }
}

/// How much of a calendar is read by the limits of an installation.
fn reading_limits(limits: &Limits) -> icalendar::Limits {
    let size = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    icalendar::Limits {
        bytes: size(limits.calendar_bytes),
        events: size(limits.calendar_events),
        occurrences: size(limits.calendar_occurrences),
        ..icalendar::Limits::default()
    }
}

#[async_trait]
impl Calendars for ConnectedCalendars {
    async fn busy(
        &self,
        person: &Did,
        known: &Known,
        within: Interval,
        but: Option<&BookingId>,
        freshness: Freshness,
        deadline: Timestamp,
    ) -> Busy {
        if known.connectors.is_empty() {
            return Busy::Unconnected;
        }
        // Most bookings have no event yet: theirs is the question of everybody else.
        let but = but.filter(|_| freshness == Freshness::Fresh || known.event_in.is_some());
        let Ok(asked) = Asked::new(known, within, but, self.0.reading) else {
            return Busy::Unreadable;
        };
        let busy = if freshness == Freshness::Fresh || but.is_some() {
            self.read_for(person, known, &asked, deadline).await
        } else if let Some(busy) = self.remembered(known, &asked) {
            busy
        } else {
            let window = self.window(within);
            self.flight(person, window, deadline).await
        };
        match busy {
            Busy::Known(busy) => Busy::Known(busy.within(within)),
            unknown => unknown,
        }
    }
}

impl fmt::Debug for CalendarPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalendarPorts").finish_non_exhaustive()
    }
}

impl fmt::Debug for ConnectedCalendars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectedCalendars")
            .field("keys", &self.0.keys)
            .field("keep", &self.0.keep)
            .finish_non_exhaustive()
    }
}
