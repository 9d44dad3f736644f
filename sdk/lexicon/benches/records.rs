//! Decoding, checking and encoding of a record, beside a plain serde struct of strings in the same
//! run, which checks nothing and drops what it does not know.

use divan::{Bencher, black_box};
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_lexicon::schema::Data;
use serde::{Deserialize, Serialize};

fn main() {
    divan::main();
}

const JSON: &str = r#"{
    "$type": "com.huddle.slotOffer",
    "start": "2026-12-01T10:00:00.000Z",
    "end": "2026-12-01T12:00:00.000Z",
    "policy": "connected",
    "mode": "approve",
    "durations": [15, 30, 60],
    "tz": "Europe/Berlin",
    "note": "Lunch, or a walk by the river — whatever suits you",
    "createdAt": "2026-11-20T08:30:00.000Z"
}"#;

/// The same record as somebody would write it with serde alone.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    #[serde(rename = "$type")]
    kind: String,
    start: String,
    end: String,
    policy: String,
    mode: Option<String>,
    durations: Option<Vec<i64>>,
    tz: Option<String>,
    note: Option<String>,
    created_at: String,
}

fn offer() -> SlotOffer {
    SlotOffer::from_json(JSON.as_bytes()).expect("the record is valid")
}

fn plain() -> Plain {
    serde_json::from_str(JSON).expect("the record fits")
}

fn cbor() -> Vec<u8> {
    offer().to_cbor().expect("the record is valid")
}

#[divan::bench]
fn json_decode_and_check(bencher: Bencher<'_, '_>) {
    bencher.bench(|| SlotOffer::from_json(black_box(JSON.as_bytes())));
}

#[divan::bench]
fn json_decode_plain_serde(bencher: Bencher<'_, '_>) {
    bencher.bench(|| serde_json::from_slice::<Plain>(black_box(JSON.as_bytes())));
}

#[divan::bench]
fn cbor_decode_and_check(bencher: Bencher<'_, '_>) {
    let cbor = cbor();
    bencher.bench(|| SlotOffer::from_cbor(black_box(&cbor)));
}

#[divan::bench]
fn cbor_decode_plain_serde(bencher: Bencher<'_, '_>) {
    let cbor = cbor();
    bencher.bench(|| serde_ipld_dagcbor::from_slice::<Plain>(black_box(&cbor)));
}

#[divan::bench]
fn cbor_check_and_encode(bencher: Bencher<'_, '_>) {
    let offer = offer();
    bencher.bench(|| black_box(&offer).to_cbor());
}

#[divan::bench]
fn cbor_encode_plain_serde(bencher: Bencher<'_, '_>) {
    let plain = plain();
    bencher.bench(|| serde_ipld_dagcbor::to_vec(black_box(&plain)));
}

#[divan::bench]
fn json_check_and_encode(bencher: Bencher<'_, '_>) {
    let offer = offer();
    bencher.bench(|| black_box(&offer).to_json());
}

#[divan::bench]
fn json_encode_plain_serde(bencher: Bencher<'_, '_>) {
    let plain = plain();
    bencher.bench(|| serde_json::to_vec(black_box(&plain)));
}
