//! The same driver on a Jetstream.

use std::time::Duration;

use huddle_firehose::Hosting;
use huddle_firehose::ingest::{
    Action, Config, Event, Limits, News, Notice, Outcome, Proof, Source,
};
use serde_json::{Value, json};

use crate::driven::{ALICE, BOB, Driven, HOST};

fn driven() -> Driven {
    let config = Config {
        source: Source::Jetstream {
            collections: vec!["com.example.*".to_owned()],
        },
        hosts: vec![HOST.to_owned()],
        limits: Limits::default(),
    };
    Driven::with(config, &[], Some(100))
}

fn message(did: &str, time_us: i64, kind: &str, body: &Value) -> Vec<u8> {
    let message = json!({ "did": did, "time_us": time_us, "kind": kind, kind: body });
    message.to_string().into_bytes()
}

fn deletion(did: &str, time_us: i64, collection: &str) -> Vec<u8> {
    let body = json!({
        "rev": "3ke6kg3wk222b", "operation": "delete", "collection": collection, "rkey": "1",
    });
    message(did, time_us, "commit", &body)
}

#[test]
fn what_a_jetstream_says_is_delivered_as_nobodys_word() {
    let mut driven = driven();
    let (connection, url) = driven.open();
    let query = "wantedCollections=com.example.*&cursor=100";
    assert_eq!(url, format!("{HOST}/subscribe?{query}"));
    driven.send(connection, &deletion(ALICE, 101, "org.example.a"));
    driven.send(connection, &deletion(ALICE, 102, "com.example.a"));
    let events = driven.run(1, None);
    let [
        Event::Account {
            did,
            news: News::Changes { changes, .. },
            state: None,
            proof: Proof::None,
        },
    ] = &events[..]
    else {
        panic!("{events:#?}");
    };
    assert_eq!((did.as_str(), &changes[0].record), (ALICE, &Outcome::Gone));
    driven.pass(Duration::from_secs(5));
    assert_eq!(driven.kept().last(), Some(&Some(102)));
}

#[test]
fn of_an_account_that_has_published_something_everything_is_told_until_it_is_deleted() {
    let mut driven = driven();
    let (connection, _) = driven.open();
    let identity = |did, time_us| {
        let body = json!({ "did": did, "handle": "a.example.com" });
        message(did, time_us, "identity", &body)
    };
    driven.send(connection, &deletion(ALICE, 101, "com.example.a"));
    driven.send(connection, &identity(BOB, 102));
    driven.send(connection, &identity(ALICE, 103));
    let body = json!({ "active": false, "status": "deleted" });
    driven.send(connection, &message(ALICE, 104, "account", &body));
    driven.send(connection, &identity(ALICE, 105));
    let events = driven.run(1, None);
    let deleted = |event: &Event| {
        matches!(
            event,
            Event::Account {
                news: News::Hosting(Hosting::Deleted),
                ..
            }
        )
    };
    assert_eq!(events.len(), 3, "{events:#?}");
    assert!(deleted(&events[2]), "{events:#?}");
}

#[test]
fn what_comes_again_and_what_is_no_message_is_passed_over() {
    let mut driven = driven();
    let (connection, _) = driven.open();
    driven.send(connection, &deletion(ALICE, 100, "com.example.a"));
    driven.send(connection, b"{}");
    assert_eq!(driven.run(1, None), []);
    let is_bad = |notice: &&Notice| matches!(notice, Notice::BadFrame { .. });
    assert_eq!(driven.notices().into_iter().filter(is_bad).count(), 1);
}

#[test]
fn a_message_with_a_place_moves_the_cursor_whatever_it_says() {
    let mut driven = driven();
    let (connection, _) = driven.open();
    let body = json!({
        "rev": "3ke6kg3wk222b", "operation": "move", "collection": "com.example.a", "rkey": "1",
    });
    for time_us in 101..301 {
        driven.send(connection, &message(ALICE, time_us, "commit", &body));
    }
    assert_eq!(driven.run(1, None), []);
    driven.pass(Duration::from_secs(5));
    assert_eq!(driven.kept().last(), Some(&Some(300)));
    let is_bad = |notice: &&Notice| matches!(notice, Notice::BadFrame { .. });
    assert_eq!(driven.notices().into_iter().filter(is_bad).count(), 200);
    let is_over = |action: &Action| matches!(action, Action::Disconnect { .. });
    assert!(!driven.actions.iter().any(is_over), "it goes on");
}
