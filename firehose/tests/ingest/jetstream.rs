//! The same driver on a Jetstream.

use std::collections::BTreeMap;
use std::time::Duration;

use huddle_firehose::Filter;
use huddle_firehose::ingest::{
    Action, BadFrame, Config, ConfigError, Event, Ingest, Limits, MAX_COLLECTIONS, News, Notice,
    Outcome, Proof, Source,
};
use huddle_firehose::jetstream::{Dictionary, DictionaryError, JetstreamError, ZstdError};
use serde_json::json;

use crate::driven::{Driven, HOST};
use crate::messages::{ALICE, DICTIONARY, check_life, compress, deletion, life, message};

fn config(dictionary: Option<&[u8]>) -> Config {
    Config {
        source: Source::Jetstream {
            collections: vec!["com.example.*".to_owned()],
            dictionary: dictionary.map(Dictionary::new),
        },
        hosts: vec![HOST.to_owned()],
        limits: Limits::default(),
    }
}

fn driven() -> Driven {
    Driven::with(config(None), &[], Some(100))
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
fn a_jetstream_is_asked_for_as_many_collections_as_it_takes() {
    let refusal = |count| {
        let source = Source::Jetstream {
            collections: vec!["com.example.*".to_owned(); count],
            dictionary: None,
        };
        let config = Config {
            source,
            ..config(None)
        };
        Ingest::new(config, Filter::default(), &BTreeMap::new(), 1).err()
    };
    assert_eq!(refusal(MAX_COLLECTIONS), None);
    assert_eq!(refusal(101), Some(ConfigError::TooManyCollections(101)));
}

#[test]
fn of_an_account_that_has_published_something_everything_is_told_until_it_is_deleted() {
    let mut driven = driven();
    let (connection, _) = driven.open();
    for message in life() {
        driven.send(connection, &message);
    }
    check_life(&driven.run(1, None));
}

#[test]
fn with_a_dictionary_messages_may_come_compressed_or_not() {
    let mut driven = Driven::with(config(Some(&DICTIONARY)), &[], Some(100));
    let (connection, url) = driven.open();
    let query = "wantedCollections=com.example.*&compress=true&cursor=100";
    assert_eq!(url, format!("{HOST}/subscribe?{query}"));
    for (at, message) in life().iter().enumerate() {
        let compressed = compress(&DICTIONARY, message);
        assert!(compressed.len() < message.len());
        let sent = if at % 3 == 2 { message } else { &compressed };
        driven.send(connection, sent);
    }
    check_life(&driven.run(1, None));
    driven.pass(Duration::from_secs(5));
    assert_eq!(driven.kept().last(), Some(&Some(106)));
}

#[test]
fn a_compressed_message_counts_for_what_it_comes_to() {
    let mut driven = Driven::with(config(Some(&DICTIONARY)), &[], Some(100));
    let (connection, _) = driven.open();
    let body = json!({
        "rev": "3ke6kg3wk222b", "operation": "delete", "collection": "com.example.a", "rkey": "1",
        "padding": " ".repeat(1_000_000),
    });
    let message = message(ALICE, 101, "commit", &body);
    let compressed = compress(&DICTIONARY, &message);
    assert!(compressed.len() < 1000);
    driven.send(connection, &compressed);
    let (_, bytes) = driven.ingest.queued();
    assert!(bytes >= message.len(), "{bytes}");
}

#[test]
fn a_compressed_message_that_cannot_be_read_is_passed_over() {
    #[track_caller]
    fn check(dictionary: Option<&[u8]>, message: &[u8], expect: ZstdError) {
        let mut driven = Driven::with(config(dictionary), &[], Some(100));
        let (connection, _) = driven.open();
        driven.send(connection, message);
        driven.send(connection, &deletion(ALICE, 102, "com.example.a"));
        assert_eq!(driven.run(1, None).len(), 1, "the next one is taken");
        let why = BadFrame::Jetstream(JetstreamError::Zstd(expect));
        let notice = Notice::BadFrame { why };
        assert!(driven.notices().contains(&&notice), "{notice:?}");
    }
    let message = deletion(ALICE, 101, "com.example.a");
    let compressed = compress(&DICTIONARY, &message);
    check(None, &compressed, ZstdError::NoDictionary);
    let cut = &compressed[..compressed.len() - 1];
    check(Some(&DICTIONARY), cut, ZstdError::Malformed);
}

#[test]
fn without_a_dictionary_that_is_one_there_is_no_driver() {
    let config = config(Some(b"not a dictionary"));
    let refused = Ingest::new(config, Filter::default(), &BTreeMap::new(), 1);
    let expect = ConfigError::Dictionary(DictionaryError::Malformed);
    assert_eq!(refused.err(), Some(expect));
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
