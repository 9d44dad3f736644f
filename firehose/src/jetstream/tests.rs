use serde_json::{Value, json};

use super::*;
use crate::ingest::Outcome;

const DID: &str = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";

fn message(kind: &str, body: &Value) -> Value {
    json!({ "did": DID, "time_us": 1_725_911_162_329_308_i64, "kind": kind, kind: body })
}

fn commit_of(record: &Value) -> Value {
    let parsed: Json = serde_json::from_value(record.clone()).unwrap();
    let cbor = record::to_cbor(&parsed).map_or(Cid::of_cbor(b""), |cbor| Cid::of_cbor(&cbor));
    message(
        "commit",
        &json!({
            "rev": "3ke6kg3wk222b", "operation": "create", "collection": "com.example.note",
            "rkey": "self", "record": record, "cid": cbor.to_string(),
        }),
    )
}

#[track_caller]
fn decoded(message: &Value) -> Result<Option<News>, JetstreamError> {
    decode(message.to_string().as_bytes())?.news
}

#[track_caller]
fn only(news: Option<News>) -> Outcome {
    match news {
        Some(News::Changes { mut changes, .. }) if changes.len() == 1 => changes.remove(0).record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_is_the_cbor_that_it_was() {
    let cid = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";
    let record = json!({
        "$type": "com.example.note", "text": "ä", "on": true, "none": null,
        "numbers": [0, 23, 24, 255, 256, 65_536, 4_294_967_296_i64, -1, -24, -25, i64::MIN, i64::MAX],
        "link": { "$link": cid }, "bytes": { "$bytes": "AAEC/w" }, "padded": { "$bytes": "AAE=" },
        "map": { "bb": 1, "a": 2, "c": 3 },
    });
    let Outcome::Record { bytes, .. } = only(decoded(&commit_of(&record)).unwrap()) else {
        panic!("it is refused");
    };
    // The reader takes nothing but the one canonical form.
    let value: huddle_syntax::data::Value = huddle_syntax::data::from_cbor(&bytes).unwrap();
    let back: Value =
        serde_json::from_slice(&huddle_syntax::data::to_json(&value).unwrap()).unwrap();
    assert_eq!(back["numbers"], record["numbers"]);
    assert_eq!(back["link"], record["link"]);
    assert_eq!(back["bytes"], record["bytes"]);
    assert_eq!(back["map"], record["map"]);
}

#[test]
fn a_deleted_record_is_gone() {
    let body = json!({
        "rev": "3ke6kg3wk222b", "operation": "delete", "collection": "com.example.note", "rkey": "self",
    });
    let outcome = only(decoded(&message("commit", &body)).unwrap());
    assert_eq!(outcome, Outcome::Gone);
}

#[test]
fn a_record_of_another_type_is_refused_by_itself() {
    let record = json!({ "$type": "com.example.other" });
    let outcome = only(decoded(&commit_of(&record)).unwrap());
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
}

#[track_caller]
fn check_hosting(body: &Value, expect: Option<Hosting>) {
    let news = decoded(&message("account", body)).unwrap();
    assert_eq!(news, expect.map(News::Hosting), "{body}");
}

#[test]
fn a_status_means_what_it_means_in_a_stream_of_repositories() {
    use Hosting::{Active, Deleted, Inactive, TakenDown};
    let inactive = |status: &str| json!({ "active": false, "status": status });
    check_hosting(&json!({ "active": true }), Some(Active));
    check_hosting(&json!({ "active": false }), Some(TakenDown));
    check_hosting(&inactive("takendown"), Some(TakenDown));
    check_hosting(&inactive("deactivated"), Some(Inactive));
    check_hosting(&inactive("deleted"), Some(Deleted));
    // These are about the host, and no news of the account.
    check_hosting(&inactive("throttled"), None);
    check_hosting(&inactive("desynchronized"), None);
}

#[test]
fn another_kind_is_no_news() {
    assert_eq!(decoded(&message("labels", &json!({}))), Ok(None));
}

/// A message in which something was put in place of something else.
#[track_caller]
fn check_bad(pointer: &str, value: Value, expect: JetstreamError) {
    let mut message = commit_of(&json!({ "$type": "com.example.note" }));
    *message.pointer_mut(pointer).unwrap() = value;
    assert_eq!(decoded(&message), Err(expect), "{pointer}");
}

#[track_caller]
fn check_refused(record: &Value, expect: RecordProblem) {
    let mut message = commit_of(&json!({ "$type": "com.example.note" }));
    message["commit"]["record"] = record.clone();
    let outcome = only(decoded(&message).unwrap());
    let expect = RecordError::Refused(expect);
    assert!(
        matches!(&outcome, Outcome::Refused { why, .. } if *why == expect),
        "{record}: {outcome:?}"
    );
}

#[test]
fn a_record_that_is_not_what_the_host_says_is_refused_by_itself() {
    use RecordProblem::{Cid, DataModel};
    check_refused(&json!({ "$type": "com.example.note", "n": 1 }), Cid);
    for record in [
        json!({ "n": 1.5 }),
        json!({ "n": 18_446_744_073_709_551_615_u64 }),
        json!({ "l": { "$link": "x" } }),
        json!({ "l": { "$link": "x", "more": 1 } }),
        json!({ "b": { "$bytes": "!" } }),
    ] {
        check_refused(&record, DataModel);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    check_bad("/did", json!("alice"), Field("did"));
    check_bad("/did", json!(null), Field("did"));
    check_bad("/time_us", json!(-1), Field("time_us"));
    check_bad("/time_us", json!(1.5), Field("time_us"));
    check_bad("/kind", json!(1), Field("kind"));
    check_bad("/commit", json!([]), Field("commit"));
    check_bad("/commit/rev", json!("zzz"), Field("rev"));
    check_bad("/commit/operation", json!("move"), Field("operation"));
    check_bad("/commit/collection", json!("note"), Field("collection"));
    check_bad("/commit/rkey", json!("a/b"), Field("rkey"));
    check_bad("/commit/cid", json!("Qm"), Field("cid"));
    assert_eq!(decode(b"[]").unwrap_err(), JetstreamError::NotJson);
    assert_eq!(decode(b"\xff").unwrap_err(), JetstreamError::NotJson);
    let deep = b"[".repeat(100_000);
    assert_eq!(decode(&deep).unwrap_err(), JetstreamError::NotJson);
    let long = vec![b' '; MAX_MESSAGE_LEN + 1];
    let error = JetstreamError::TooLarge(long.len());
    assert_eq!(decode(&long).unwrap_err(), error);
}
