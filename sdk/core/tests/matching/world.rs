//! A host, some guests, and everything that a search asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;
use huddle_core::availability::{Availability as _, Checked, Found, Search};
use huddle_core::booking::{Asked, Booking, BookingIds, Constraints, CreateRefused, Place};
use huddle_core::flows::Flows;
use huddle_core::host_match::{Candidate, Hold, Margins, Role};
use huddle_core::idempotency::Key;
use huddle_core::index::offers::{self, Content, Entry, Kind};
use huddle_core::index::services::{self, Service};
use huddle_core::index::{Index as _, Revision, repos};
use huddle_core::matching::{Listing, ListingFailed, Matching, SlotQuery, Sources};
use huddle_core::transport::ask;
use huddle_core::user_connector::PutPreferences;
use huddle_core::{ActorName, Interval, Limits};
use huddle_ports::{Clock as _, Timestamp};
use huddle_schedule::disclosure::DisclosureKey;
use huddle_schedule::{Circle, Relationship};
use huddle_syntax::{AtUri, Datetime, Did};
use huddle_testkit::{ListedPeople, SteppingClock};

use crate::store::{Actors, Copies};

/// The service that schedules for the host.
pub(crate) const SERVICE: &str = "did:web:huddle.example";

const IDS: [u8; 32] = [3; 32];

pub(crate) fn did(name: &str) -> Did {
    format!("did:web:{name}.example.com")
        .parse()
        .expect("a DID")
}

pub(crate) fn ada() -> Did {
    did("ada")
}

pub(crate) fn bob() -> Did {
    did("bob")
}

/// A moment of June 2026 in UTC, such as `01T09:30`; the first is a Monday.
pub(crate) fn at(text: &str) -> Timestamp {
    let datetime: Datetime = format!("2026-06-{text}:00Z").parse().expect("a datetime");
    Timestamp::from_millis(datetime.timestamp_millis())
}

/// From one moment to another, such as `01T09:30` and `01T10:00`.
pub(crate) fn between(start: &str, end: &str) -> Interval {
    Interval::new(at(start), at(end)).expect("time passes")
}

pub(crate) struct World {
    pub(crate) matching: Matching,
    pub(crate) actors: Arc<Actors>,
    pub(crate) index: Arc<Copies>,
    pub(crate) people: Arc<ListedPeople>,
    pub(crate) clock: Arc<SteppingClock>,
    limits: Arc<Limits>,
    revisions: AtomicU64,
}

impl World {
    /// Early on Monday, the first of June. Ada has named the service, and offers nothing yet.
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let clock = Arc::new(SteppingClock::at(at("01T00:00")));
        let actors = Arc::new(Actors::new(clock.clone(), limits.clone()));
        let index = Arc::new(Copies::new());
        let people = Arc::new(ListedPeople::default());
        let limits = Arc::new(limits);
        let sources = Sources {
            index: index.clone(),
            actors: actors.clone(),
            relationships: people.clone(),
            calendars: people.clone(),
            clock: clock.clone(),
        };
        let service = SERVICE.parse().expect("a DID");
        let key = DisclosureKey::new(&[7; 32]);
        let world = Self {
            matching: Matching::new(sources, service, key, limits.clone()),
            actors,
            index,
            people,
            clock,
            limits,
            revisions: AtomicU64::new(0),
        };
        world.serve(SERVICE);
        world
    }

    fn write(&self, statements: Vec<huddle_core::index::Statement>) {
        let done = self.index.batch(statements).now_or_never();
        done.expect("memory is at hand").expect("the index works");
    }

    fn revision(&self) -> String {
        let count = self.revisions.fetch_add(1, Ordering::Relaxed);
        format!("3kaaaaaaaaa{count:02}")
    }

    /// Ada names a service.
    pub(crate) fn serve(&self, service: &str) {
        self.name_service(&ada(), service);
    }

    /// Somebody names a service.
    pub(crate) fn name_service(&self, person: &Did, service: &str) {
        let (did, rev) = (person.to_string(), self.revision());
        let at = Revision {
            did: &did,
            rev: &rev,
        };
        let service = Service {
            cid: "bafyservice".into(),
            appview: service.parse().expect("a DID"),
        };
        self.write(vec![repos::follow(&did), services::put(at, Some(&service))]);
    }

    /// Ada publishes a record, which is JSON.
    pub(crate) fn publish(&self, key: &str, record: &str) -> AtUri {
        self.publish_for(key, record, Timestamp::MIN, Timestamp::from_millis(1 << 50))
    }

    /// The same, where it is known when it is open.
    fn publish_for(&self, key: &str, record: &str, starts: Timestamp, ends: Timestamp) -> AtUri {
        let (kind, collection) = if record.contains("com.huddle.officeHours") {
            (Kind::OfficeHours, "officeHours")
        } else {
            (Kind::SlotOffer, "slotOffer")
        };
        let content = Content {
            cid: "bafyoffer".into(),
            kind,
            starts,
            ends,
            policy: String::new(),
            mode: String::new(),
            note: None,
            record: record.into(),
        };
        let uri = format!("at://{}/com.huddle.{collection}/{key}", ada());
        self.put(uri.clone(), Some(content));
        uri.parse().expect("an address")
    }

    /// Ada removes a record.
    pub(crate) fn withdraw(&self, uri: &AtUri) {
        self.put(uri.to_string(), None);
    }

    fn put(&self, uri: String, content: Option<Content>) {
        let (did, rev) = (ada().to_string(), self.revision());
        let at = Revision {
            did: &did,
            rev: &rev,
        };
        let put = offers::put(at, &[Entry { uri, content }], self.clock.now());
        self.write(put.expect("an offer is JSON"));
    }

    /// Ada offers half an hour, or as many as fit, on one day: from and until times such as `02T09:00`.
    pub(crate) fn offer(&self, key: &str, window: (&str, &str), policy: &str, mode: &str) -> AtUri {
        let (start, end) = window;
        let record = format!(
            r#"{{"$type": "com.huddle.slotOffer", "start": "2026-06-{start}:00Z", "end": "2026-06-{end}:00Z",
            "policy": "{policy}", "mode": "{mode}", "createdAt": "2026-06-01T00:00:00Z"}}"#
        );
        self.publish_for(key, &record, at(start), at(end))
    }

    /// Ada can be met from nine to five on all workdays.
    pub(crate) fn office_hours(&self, key: &str, policy: &str, mode: &str) -> AtUri {
        let record = format!(
            r#"{{"$type": "com.huddle.officeHours", "tz": "UTC", "policy": "{policy}", "mode": "{mode}",
            "rules": [{{"days": ["MO", "TU", "WE", "TH", "FR"], "start": "09:00", "end": "17:00"}}],
            "createdAt": "2026-06-01T00:00:00Z"}}"#
        );
        self.publish(key, &record)
    }

    pub(crate) fn prefer(&self, person: &Did, document: &str) {
        let put = PutPreferences {
            key: Key {
                caller: person.clone(),
                method: "com.huddle.putPreferences".into(),
                key: self.revision(),
                body_hash: String::new(),
            },
            document: document.into(),
            swap_revision: None,
        };
        let put = ask(&*self.actors, &ActorName::user_connector(person), put).now_or_never();
        let put = put.expect("memory is at hand").expect("the actor answers");
        put.expect("the preferences are good");
    }

    /// Bob stands to Ada like this from now on.
    pub(crate) fn relate(&self, circle: Circle) {
        let blocked = false;
        let relationship = Relationship { circle, blocked };
        self.people.relate(&ada(), &bob(), Ok(relationship));
    }

    /// Somebody holds some time of a person.
    pub(crate) fn hold(&self, person: &Did, slot: Interval) {
        self.hold_with(person, slot, Margins::default());
    }

    /// The same, with what the person keeps free around it.
    pub(crate) fn hold_with(&self, person: &Did, slot: Interval, margins: Margins) {
        let hold = Hold {
            booking: BookingIds::new(&IDS).of_request(&did("eve"), "hold", &self.revision()),
            attempt: huddle_core::booking::Attempt::FIRST,
            candidates: vec![Candidate { slot, margins }],
            until: self.clock.now() + std::time::Duration::from_mins(15),
            role: Role::Host,
            counterpart: did("eve"),
            limited: false,
        };
        let granted = ask(&*self.actors, &ActorName::host_match(person), hold).now_or_never();
        let granted = granted.expect("memory is at hand");
        granted
            .expect("the actor answers")
            .expect("nothing is in its way");
    }

    pub(crate) fn search(&self, search: &Search) -> Found {
        let found = self.matching.search(search, Timestamp::MAX).now_or_never();
        found.expect("memory is at hand")
    }

    /// What Bob finds.
    pub(crate) fn found(&self, constraints: Constraints) -> Found {
        self.search(&asking(constraints))
    }

    /// When Bob could meet Ada, in order.
    #[track_caller]
    pub(crate) fn slots(&self, constraints: Constraints) -> Vec<Interval> {
        slots(&self.found(constraints))
    }

    pub(crate) fn check(&self, booking: &Booking, place: &Place) -> Checked {
        let checked = self.matching.check(booking, place, Timestamp::MAX);
        checked.now_or_never().expect("memory is at hand")
    }

    /// What is listed to somebody.
    pub(crate) fn listed(
        &self,
        guest: &Did,
        constraints: Constraints,
    ) -> Result<Listing, ListingFailed> {
        self.listed_by(&self.flows(), guest, constraints)
    }

    /// What is listed to somebody, by some flows.
    pub(crate) fn listed_by(
        &self,
        flows: &Flows,
        guest: &Did,
        constraints: Constraints,
    ) -> Result<Listing, ListingFailed> {
        let query = SlotQuery {
            host: ada(),
            guest: guest.clone(),
            constraints,
            offer: None,
            limit: 24,
        };
        let listed = flows.list(&self.matching, &query).now_or_never();
        listed.expect("memory is at hand")
    }

    pub(crate) fn flows(&self) -> Flows {
        let matching = Arc::new(self.matching.clone());
        let (clock, limits) = (self.clock.clone(), self.limits.clone());
        Flows::new(self.actors.clone(), matching, clock, limits)
    }

    /// What becomes of a request of Bob's.
    pub(crate) fn request(&self, constraints: Constraints) -> Result<Booking, CreateRefused> {
        request_by(&self.flows(), constraints)
    }
}

/// A search of Bob's among all that Ada offers.
pub(crate) fn asking(constraints: Constraints) -> Search {
    Search {
        host: ada(),
        guest: bob(),
        constraints,
        offer: None,
        approved: false,
        acquainted: false,
        strangers_wait: None,
        confirms: false,
        by: Role::Guest,
        booking: None,
    }
}

/// The slots that are proposed, in order of time.
#[track_caller]
pub(crate) fn slots(found: &Found) -> Vec<Interval> {
    let Found::Proposals(proposals) = found else {
        panic!("{found:?}");
    };
    let mut slots: Vec<_> = proposals.iter().map(|it| it.place.slot).collect();
    slots.sort_unstable();
    slots
}

/// What becomes of a request of Bob's, by some flows.
pub(crate) fn request_by(
    flows: &Flows,
    constraints: Constraints,
) -> Result<Booking, CreateRefused> {
    let asked = Asked {
        host: ada(),
        guest: bob(),
        constraints,
        offer: None,
        note: None,
        request: None,
        accepted: false,
    };
    let id = BookingIds::new(&IDS).of_request(&bob(), "com.huddle.match", "key");
    let booking = flows.request(&id, asked, "hash".into()).now_or_never();
    booking.expect("memory is at hand").expect("actors answer")
}
