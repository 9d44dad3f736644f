//! Target `firehose_jetstream`: messages of a Jetstream, compressed or not.

use crate::Target;
use crate::firehose;
use crate::mutate::{self, Random};
use huddle_firehose::car::{BlockStore as _, Car};
use huddle_firehose::ingest::{MAX_RECORD_LEN, News, Outcome};
use huddle_firehose::jetstream::{self, Decompressor, Dictionary, MAX_MESSAGE_LEN};
use huddle_firehose::{Cid, Frame};
use huddle_syntax::data;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What is decompressed is what the reference implementation sees in it, and not more than a message has; a record is
/// the DAG-CBOR that another encoder makes of its JSON.
pub const TARGET: Target = Target {
    name: "firehose_jetstream",
    check,
    mutate,
    seeds,
};

const DID: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";

/// Trained on messages, as that of a host is.
static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let samples = (0..2000).map(|number| {
        let handle = format!("a{number}.example.com");
        message(
            "identity",
            1_725_911_162_329_308 + number * 7919,
            &json!({ "did": DID, "handle": handle }),
        )
    });
    let samples: Vec<_> = samples.collect();
    zstd::dict::from_samples(&samples, 4096).expect("there is enough to learn from")
});

fn decompressor() -> Decompressor {
    let dictionary = Dictionary::new(&DICTIONARY[..]);
    Decompressor::new(&dictionary).expect("it is a dictionary")
}

fn check(input: &[u8]) {
    let mut decompressor = decompressor();
    let Ok(json) = decompressor.json(input) else {
        return;
    };
    if let Cow::Owned(ours) = &json {
        assert!(ours.len() <= MAX_MESSAGE_LEN);
        if let Some(theirs) = reference(input) {
            assert_eq!(*ours, theirs);
        }
    }
    let again = decompressor.json(input).expect("it could be read before");
    assert_eq!(again, json);
    let Ok(message) = jetstream::decode(&json) else {
        return;
    };
    if let Ok(Some(News::Changes { changes, .. })) = message.news {
        let [change] = &changes[..] else {
            panic!("a message is about one record: {changes:?}");
        };
        if let Outcome::Record { cid, bytes } = &change.record {
            assert!(bytes.len() <= MAX_RECORD_LEN);
            assert_eq!(Cid::of_cbor(bytes), *cid);
            // What the data model says of names with a `$` is for whoever reads the record.
            if let Some(theirs) = encoded(&json) {
                assert_eq!(**bytes, theirs);
            }
        }
    }
}

/// What the reference implementation decompresses.
fn reference(input: &[u8]) -> Option<Vec<u8>> {
    let decompressor = zstd::bulk::Decompressor::with_dictionary(&DICTIONARY);
    let mut decompressor = decompressor.expect("it is a dictionary");
    decompressor.decompress(input, MAX_MESSAGE_LEN).ok()
}

/// The record of a message, by another encoder.
fn encoded(json: &[u8]) -> Option<Vec<u8>> {
    let message: Value = serde_json::from_slice(json).ok()?;
    let record = message["commit"]["record"].to_string();
    let record: data::Value = data::from_json(record.as_bytes()).ok()?;
    data::to_cbor(&record).ok()
}

fn message(kind: &str, time_us: i64, body: &Value) -> Vec<u8> {
    let message = json!({ "did": DID, "time_us": time_us, "kind": kind, kind: body });
    message.to_string().into_bytes()
}

fn compress(message: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &DICTIONARY).ok()?;
    compressor.compress(message).ok()
}

/// Changes the JSON, whose record then has the CID that it says, or a byte of what it is compressed to.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let json = decompressor().json(input).ok()?.into_owned();
    if json != input && random.one_in(2) {
        let mut frame = input.to_vec();
        let at = 4 + random.below(frame.len().checked_sub(4).filter(|rest| *rest > 0)?);
        frame[at] ^= 1 << random.below(8);
        return Some(frame);
    }
    let donors: Vec<Value> = vec![serde_json::from_slice(&json).ok()?];
    let mut mutated = mutate::json(&json, &donors, random)?;
    if let Some(record) = encoded(&mutated) {
        let mut message: Value = serde_json::from_slice(&mutated).ok()?;
        if let Some(commit) = message.get_mut("commit").and_then(Value::as_object_mut) {
            commit.insert("cid".to_owned(), Cid::of_cbor(&record).to_string().into());
            mutated = message.to_string().into_bytes();
        }
    }
    if random.one_in(2) {
        return compress(&mutated);
    }
    Some(mutated)
}

/// Records of a day as a host would tell of them, and a message of each other kind; every second one compressed.
fn seeds() -> Vec<Vec<u8>> {
    let others = [
        ("identity", json!({ "did": DID, "handle": "a.example.com" })),
        ("account", json!({ "active": true })),
        ("account", json!({ "active": false, "status": "takendown" })),
        (
            "commit",
            json!({ "rev": "3ke6kg3wk222b", "operation": "delete", "collection": "com.example.a", "rkey": "1" }),
        ),
        ("labels", json!({})),
    ];
    let others = others.iter().map(|(kind, body)| message(kind, 1, body));
    let frames = firehose::events();
    let records = frames
        .iter()
        .flat_map(|frame| records(frame).unwrap_or_default());
    let messages = others.chain(records).enumerate();
    let seeds = messages.filter_map(|(at, message)| {
        if at % 2 == 0 {
            Some(message)
        } else {
            compress(&message)
        }
    });
    seeds.collect()
}

/// A message for each record of a commit.
fn records(frame: &[u8]) -> Option<Vec<Vec<u8>>> {
    let Ok(Frame::Commit(event)) = Frame::decode(frame) else {
        return None;
    };
    let car = Car::read(event.blocks).ok()?;
    let records = event.ops.iter().filter_map(|op| {
        let (collection, rkey) = op.path.split_once('/')?;
        let cid = op.cid?;
        let record: data::Value = data::from_cbor(car.block(&cid)?).ok()?;
        let record: Value = serde_json::from_slice(&data::to_json(&record).ok()?).ok()?;
        let body = json!({
            "rev": event.rev, "operation": "create", "collection": collection, "rkey": rkey,
            "cid": cid.to_string(), "record": record,
        });
        Some(message("commit", event.seq, &body))
    });
    Some(records.collect())
}
