//! Events in another order than that of the stream, and more than once: what comes of them is the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use huddle_firehose::ingest::{Change, Event, News, Outcome, Proof};
use huddle_firehose::{Account, Cid, Head, Hosting, Repository, Tid};
use huddle_syntax::data::{self, Map};
use proptest::prelude::*;
use proptest::sample::Index as Pick;

use crate::world::World;

const ACCOUNTS: [&str; 2] = ["did:web:ada.example.com", "did:web:bob.example.com"];

const PATHS: [(&str, &str); 5] = [
    ("com.huddle.slotOffer", "a"),
    ("com.huddle.officeHours", "b"),
    ("com.huddle.service", "self"),
    ("com.huddle.bookingRequest", "a"),
    ("com.huddle.bookingRequest", "b"),
];

/// A version of what is at a path; an even one of a request differs from the odd one after it in the note alone.
fn record(path: usize, version: u8) -> Outcome {
    let rest = match path {
        0 => {
            r#""start": "2026-12-01T10:00:00Z", "end": "2026-12-01T12:00:00Z", "policy": "anyone""#
        }
        1 => r#""tz": "UTC", "rules": [], "policy": "mutual""#,
        2 => r#""did": "did:web:huddle.example""#,
        _ => r#""hostDid": "did:web:cleo.example.com", "constraints": {}"#,
    };
    let (collection, _) = PATHS[path];
    let json = format!(
        r#"{{"$type": "{collection}", {rest}, "note": "{version}", "createdAt": "2026-11-20T08:3{}:00.000Z"}}"#,
        version / 2
    );
    let record: Map = data::from_json(json.as_bytes()).unwrap();
    let bytes = data::to_cbor(&record).unwrap();
    Outcome::Record {
        cid: Cid::of_cbor(&bytes),
        bytes: Arc::from(bytes),
    }
}

fn change(path: usize, record: Outcome) -> Change {
    let (collection, rkey) = PATHS[path];
    Change {
        collection: collection.to_owned(),
        rkey: rkey.to_owned(),
        record,
    }
}

/// What an account does: some records become another version, or go; sometimes the repository is fetched after it.
type Step = (usize, Vec<(usize, Option<u8>)>, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let change = (0..PATHS.len(), proptest::option::weighted(0.7, 0..6_u8));
    let changes = proptest::collection::vec(change, 1..4);
    let step = (0..ACCOUNTS.len(), changes, proptest::bool::weighted(0.2));
    proptest::collection::vec(step, 1..10)
}

/// The events of a life, in order.
fn events(steps: &[Step]) -> Vec<Event> {
    let mut repos: [BTreeMap<usize, u8>; 2] = Default::default();
    let mut events = Vec::new();
    for (step, (who, changes, is_fetched)) in (1..).zip(steps) {
        let rev = Tid::from_time(Duration::from_secs(1_700_000_000 + step));
        // The last change of a path in one commit is the one.
        let changes: BTreeMap<_, _> = changes.iter().copied().collect();
        for (path, version) in &changes {
            match version {
                Some(version) => drop(repos[*who].insert(*path, *version)),
                None => drop(repos[*who].remove(path)),
            }
        }
        let outcome = |path, version: Option<u8>| match version {
            Some(version) => record(path, version),
            None => Outcome::Gone,
        };
        let changes = changes.into_iter();
        let changes = changes.map(|(path, version)| change(path, outcome(path, version)));
        let changes = changes.collect();
        events.push(event(*who, rev, News::Changes { rev, changes }));
        if *is_fetched {
            let records = repos[*who].iter();
            let records = records.map(|(path, version)| change(*path, record(*path, *version)));
            let records = records.collect();
            events.push(event(*who, rev, News::Repository { rev, records }));
        }
    }
    events
}

fn event(who: usize, rev: Tid, news: News) -> Event {
    let head = Head {
        rev,
        data: Cid::of_cbor(rev.to_string().as_bytes()),
    };
    Event::Account {
        did: ACCOUNTS[who].to_owned(),
        news,
        state: Some(Account {
            repository: Repository::Synced(head),
            hosting: Hosting::Active,
        }),
        proof: Proof::Signature,
    }
}

/// What is held after these events. Of what is not there any more it may be known or not that it was.
async fn held(events: &[&Event]) -> Vec<String> {
    let world = World::new();
    let indexer = world.indexer();
    for event in events {
        indexer.take_over(event).await.unwrap();
    }
    let dump = world.dump().await.into_iter();
    let is_past = |row: &String| match row.split_once(" | ") {
        Some(("requests", rest)) => !rest.ends_with(" | new"),
        Some(("offers" | "services", rest)) => rest.ends_with(" | -"),
        _ => false,
    };
    dump.filter(|row| !is_past(row)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_in_any_order_and_more_than_once_come_to_the_same(
        steps in steps(),
        order in proptest::collection::vec(any::<Pick>(), 0..40),
    ) {
        let events = events(&steps);
        let in_order: Vec<_> = events.iter().collect();
        // Some of them again, then all of them, each from a place that is picked.
        let mut left = in_order.clone();
        let mut picks = order.iter();
        let mut shuffled = Vec::new();
        while !left.is_empty() {
            let at = picks.next().map_or(0, |pick| pick.index(left.len()));
            shuffled.push(left.remove(at));
        }
        shuffled.extend(order.iter().map(|pick| *pick.get(&in_order)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (expect, came) = runtime.block_on(async {
            (held(&in_order).await, held(&shuffled).await)
        });
        prop_assert_eq!(expect, came);
    }
}
