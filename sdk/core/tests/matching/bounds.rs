//! How much one question looks at, and how the rest is found.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use huddle_core::availability::Availability as _;
use huddle_core::booking::Constraints;
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::matching::{Matching, Sources};
use huddle_core::sql::Row;
use huddle_core::{ActorName, ActorTransport, Command, Interval, Limits, Reply, Unreachable};
use huddle_ports::Timestamp;
use huddle_schedule::Circle;
use huddle_schedule::disclosure::DisclosureKey;

use crate::world::{SERVICE, World, asking, at, between, slots};

fn friends(limits: Limits) -> World {
    let world = World::with(limits);
    world.relate(Circle::Mutual);
    world
}

fn from(earliest: Timestamp) -> Constraints {
    Constraints {
        earliest: Some(earliest),
        ..Constraints::default()
    }
}

/// The first and the last day of June on which there are slots.
#[track_caller]
fn days(slots: &[Interval]) -> (i64, i64) {
    let day = |slot: Option<&Interval>| {
        let start = slot.expect("there are slots").start();
        start.since(at("01T00:00")).as_secs() / (24 * 3600) + 1
    };
    let day = |slot| i64::try_from(day(slot)).expect("June has few days");
    (day(slots.first()), day(slots.last()))
}

#[test]
fn of_more_offers_than_one_question_looks_at_those_count_that_open_first() {
    let world = friends(Limits {
        search_offers: 2,
        ..Limits::default()
    });
    let [.., fourth] = ["05", "02", "03", "04"].map(|day| {
        let window = (format!("{day}T09:00"), format!("{day}T09:30"));
        world.offer(day, (&window.0, &window.1), "anyone", "auto")
    });
    let slot = |day: &str| between(&format!("{day}T09:00"), &format!("{day}T09:30"));
    let found = world.slots(Constraints::default());
    assert_eq!(found, [slot("02"), slot("03")]);
    let later = world.slots(from(at("04T00:00")));
    assert_eq!(later, [slot("04"), slot("05")], "later ones, later");
    let mut named = asking(Constraints::default());
    named.offer = Some(fourth);
    let named = slots(&world.search(&named));
    assert_eq!(named, [slot("04")], "and one that is named");
}

#[test]
fn where_more_could_be_booked_than_one_question_looks_at_it_looks_at_fewer_days() {
    // Two days of quarters of an hour.
    let world = friends(Limits {
        search_starts: 192,
        ..Limits::default()
    });
    world.office_hours("a", "anyone", "auto");
    assert_eq!(days(&world.slots(Constraints::default())), (1, 2));
    let later = world.slots(from(at("10T00:00")));
    assert_eq!(days(&later), (10, 10), "and later at later ones");
    world.office_hours("b", "anyone", "auto");
    assert_eq!(days(&world.slots(Constraints::default())), (1, 1));
}

/// Passes questions on, and keeps them.
struct Noted<T> {
    inner: Arc<T>,
    asked: Mutex<Vec<String>>,
}

impl<T> Noted<T> {
    fn new(inner: &Arc<T>) -> Arc<Self> {
        Arc::new(Self {
            inner: inner.clone(),
            asked: Mutex::default(),
        })
    }

    fn note(&self, what: String) {
        self.asked.lock().expect("nothing has panicked").push(what);
    }

    /// In order of their names.
    fn sorted(&self) -> Vec<String> {
        let mut asked = self.asked.lock().expect("nothing has panicked").clone();
        asked.sort();
        asked
    }
}

#[async_trait]
impl<T: ActorTransport> ActorTransport for Noted<T> {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        let json = serde_json::to_value(&command).expect("commands are JSON");
        let of_kind = json.as_object().and_then(|it| it.values().next());
        let name = of_kind.and_then(|it| it.as_object()?.keys().next());
        self.note(format!("{}: {to}", name.map_or("", String::as_str)));
        self.inner.send(to, command).await
    }
}

#[async_trait]
impl<T: Index> Index for Noted<T> {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        self.note(statement.sql.to_owned());
        self.inner.query(statement).await
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        self.inner.batch(statements).await
    }
}

#[test]
fn a_search_asks_for_each_thing_once() {
    let world = World::new();
    world.office_hours("a", "anyone", "auto");
    let (actors, index) = (Noted::new(&world.actors), Noted::new(&world.index));
    let sources = Sources {
        index: index.clone(),
        actors: actors.clone(),
        relationships: world.people.clone(),
        calendars: world.people.clone(),
        clock: world.clock.clone(),
    };
    let (service, key) = (
        SERVICE.parse().expect("a DID"),
        DisclosureKey::new(&[7; 32]),
    );
    let matching = Matching::new(sources, service, key, Arc::new(Limits::default()));
    let search = asking(Constraints::default());
    let found = matching.search(&search, Timestamp::MAX).now_or_never();
    assert_eq!(slots(&found.expect("memory is at hand")).len(), 1);
    let read = index.sorted();
    let [offers, service] = &read[..] else {
        panic!("{read:?}");
    };
    assert!(offers.contains("FROM offers"), "{offers}");
    assert!(service.contains("FROM services"), "{service}");
    let expect = [
        "Agenda: host-match/did:web:ada.example.com",
        "Agenda: host-match/did:web:bob.example.com",
        "Disclose: host-match/did:web:ada.example.com",
        "GetCalendars: user-connector/did:web:ada.example.com",
        "GetCalendars: user-connector/did:web:bob.example.com",
    ];
    assert_eq!(actors.sorted(), expect);
}
