//! Decoding and encoding of a typical record; the suffix of a name is the crate that does it alone.

use divan::{Bencher, black_box};
use huddle_syntax::data::{self, CidLink, Value};
use ipld_core::ipld::Ipld;
use serde::{Deserialize, Serialize};

fn main() {
    divan::main();
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "$type")]
    kind: String,
    start: String,
    end: String,
    policy: String,
    durations: Vec<i64>,
    subject: Subject,
    note: String,
    constraints: Constraints,
}

#[derive(Deserialize, Serialize)]
struct Subject {
    uri: String,
    cid: CidLink,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Constraints {
    days: Vec<String>,
    duration_max: i64,
    remote: bool,
}

fn record() -> Record {
    Record {
        kind: "com.huddle.slotOffer".to_owned(),
        start: "2026-12-01T10:00:00.000Z".to_owned(),
        end: "2026-12-01T12:00:00.000Z".to_owned(),
        policy: "mutual".to_owned(),
        durations: vec![15, 30, 60],
        subject: Subject {
            uri: "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/com.huddle.profile/self".to_owned(),
            cid: CidLink::of_cbor(b"profile"),
        },
        note: "Lunch, or a walk by the river — whatever suits you".to_owned(),
        constraints: Constraints {
            days: ["MO", "TU", "TH"].map(str::to_owned).to_vec(),
            duration_max: 60,
            remote: false,
        },
    }
}

fn cbor() -> Vec<u8> {
    let cbor = data::to_cbor(&record()).expect("the record is of the data model");
    assert!((300..400).contains(&cbor.len()), "{} bytes", cbor.len());
    cbor
}

fn value() -> Value {
    data::to_value(&record()).expect("the record is of the data model")
}

fn json() -> Vec<u8> {
    data::to_json(&record()).expect("the record is of the data model")
}

#[divan::bench]
fn scan(bencher: Bencher<'_, '_>) {
    let input = cbor();
    bencher.bench(|| data::item_len(black_box(&input)));
}

#[divan::bench]
fn from_cbor_struct(bencher: Bencher<'_, '_>) {
    let input = cbor();
    bencher.bench(|| data::from_cbor::<Record>(black_box(&input)));
}

#[divan::bench]
fn from_cbor_struct_dagcbor(bencher: Bencher<'_, '_>) {
    let input = cbor();
    bencher.bench(|| serde_ipld_dagcbor::from_slice::<Record>(black_box(&input)));
}

#[divan::bench]
fn from_cbor_value(bencher: Bencher<'_, '_>) {
    let input = cbor();
    bencher.bench(|| data::from_cbor::<Value>(black_box(&input)));
}

#[divan::bench]
fn from_cbor_value_dagcbor(bencher: Bencher<'_, '_>) {
    let input = cbor();
    bencher.bench(|| serde_ipld_dagcbor::from_slice::<Value>(black_box(&input)));
}

#[divan::bench]
fn from_cbor_ipld_dagcbor(bencher: Bencher<'_, '_>) {
    let input = cbor();
    bencher.bench(|| serde_ipld_dagcbor::from_slice::<Ipld>(black_box(&input)));
}

#[divan::bench]
fn to_cbor_struct(bencher: Bencher<'_, '_>) {
    let input = record();
    bencher.bench(|| data::to_cbor(black_box(&input)));
}

#[divan::bench]
fn to_cbor_struct_dagcbor(bencher: Bencher<'_, '_>) {
    let input = record();
    bencher.bench(|| serde_ipld_dagcbor::to_vec(black_box(&input)));
}

#[divan::bench]
fn to_cbor_value(bencher: Bencher<'_, '_>) {
    let input = value();
    bencher.bench(|| data::to_cbor(black_box(&input)));
}

#[divan::bench]
fn to_cbor_value_dagcbor(bencher: Bencher<'_, '_>) {
    let input = value();
    bencher.bench(|| serde_ipld_dagcbor::to_vec(black_box(&input)));
}

#[divan::bench]
fn from_json_struct(bencher: Bencher<'_, '_>) {
    let input = json();
    bencher.bench(|| data::from_json::<Record>(black_box(&input)));
}

#[divan::bench]
fn from_json_struct_serde_json(bencher: Bencher<'_, '_>) {
    let input = json();
    bencher.bench(|| serde_json::from_slice::<Record>(black_box(&input)));
}

#[divan::bench]
fn to_json_struct(bencher: Bencher<'_, '_>) {
    let input = record();
    bencher.bench(|| data::to_json(black_box(&input)));
}

#[divan::bench]
fn to_json_struct_serde_json(bencher: Bencher<'_, '_>) {
    let input = record();
    bencher.bench(|| serde_json::to_vec(black_box(&input)));
}

#[divan::bench]
fn from_value_struct(bencher: Bencher<'_, '_>) {
    let input = value();
    bencher.bench(|| Record::deserialize(black_box(&input)));
}

#[divan::bench]
fn to_value_struct(bencher: Bencher<'_, '_>) {
    let input = record();
    bencher.bench(|| data::to_value(black_box(&input)));
}
