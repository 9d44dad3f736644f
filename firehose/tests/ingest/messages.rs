//! Messages of a Jetstream, what they come to, and how a host compresses them.

use std::sync::LazyLock;

use huddle_firehose::Hosting;
use huddle_firehose::ingest::{Event, News, Outcome, Proof};
use serde_json::{Value, json};

pub(crate) const ALICE: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BOB: &str = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb";

/// A record of `com.example.a`, and its CID.
const RECORD: (&str, &str) = (
    r#"{"$type":"com.example.a","n":1}"#,
    "bafyreiho3bjsw2bz4qvep3cj2qeeqd4fuxgr7qv6zllshbyahcsm5bvujq",
);

pub(crate) fn message(did: &str, time_us: i64, kind: &str, body: &Value) -> Vec<u8> {
    let message = json!({ "did": did, "time_us": time_us, "kind": kind, kind: body });
    message.to_string().into_bytes()
}

pub(crate) fn deletion(did: &str, time_us: i64, collection: &str) -> Vec<u8> {
    let body = json!({
        "rev": "3ke6kg3wk222b", "operation": "delete", "collection": collection, "rkey": "1",
    });
    message(did, time_us, "commit", &body)
}

fn creation(did: &str, time_us: i64) -> Vec<u8> {
    let (record, cid) = RECORD;
    let record: Value = serde_json::from_str(record).expect("the record is JSON");
    let body = json!({
        "rev": "3ke6kg3wk222b", "operation": "create", "collection": "com.example.a", "rkey": "1",
        "record": record, "cid": cid,
    });
    message(did, time_us, "commit", &body)
}

pub(crate) fn identity(did: &str, time_us: i64) -> Vec<u8> {
    let body = json!({ "did": did, "handle": "a.example.com" });
    message(did, time_us, "identity", &body)
}

/// What happens from number 101 on: an account publishes something, and is followed until it is deleted.
pub(crate) fn life() -> Vec<Vec<u8>> {
    let deleted = json!({ "active": false, "status": "deleted" });
    vec![
        deletion(ALICE, 101, "org.example.a"),
        creation(ALICE, 102),
        identity(BOB, 103),
        identity(ALICE, 104),
        message(ALICE, 105, "account", &deleted),
        identity(ALICE, 106),
    ]
}

/// Checks that these are the events of [`life`].
#[track_caller]
pub(crate) fn check_life(events: &[Event]) {
    let news = events.iter().map(|event| match event {
        Event::Account {
            did,
            news,
            state: None,
            proof: Proof::None,
        } if did == ALICE => news,
        other => panic!("{other:?}"),
    });
    let [
        News::Changes { changes, .. },
        News::Identity { handle: Some(_) },
        News::Hosting(Hosting::Deleted),
    ] = news.collect::<Vec<_>>()[..]
    else {
        panic!("{events:#?}");
    };
    let Outcome::Record { cid, .. } = &changes[0].record else {
        panic!("{changes:#?}");
    };
    assert_eq!(cid.to_string(), RECORD.1);
}

/// A dictionary as a host trains it: on its messages.
pub(crate) static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let samples = (0..2000).map(|number| {
        let mut sample = deletion(
            ALICE,
            1_725_911_162_329_308 + number * 7919,
            "com.example.a",
        );
        sample.extend_from_slice(number.to_string().as_bytes());
        sample
    });
    let samples: Vec<_> = samples.collect();
    zstd::dict::from_samples(&samples, 4096).expect("there is enough to learn from")
});

/// A message as a host compresses it.
pub(crate) fn compress(dictionary: &[u8], message: &[u8]) -> Vec<u8> {
    let compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary);
    let mut compressor = compressor.expect("a level that there is");
    compressor
        .compress(message)
        .expect("anything can be compressed")
}
