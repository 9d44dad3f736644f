//! Decoding and encoding of a typical record, beside what `serde_ipld_dagcbor` and `serde_json` do alone.

use divan::{Bencher, black_box};
use huddle_syntax::data::{self, CidLink, Value};
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

mod scan {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let cbor = cbor();
        bencher.bench(|| data::item_len(black_box(&cbor)));
    }
}

mod from_cbor_to_struct {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let cbor = cbor();
        bencher.bench(|| data::from_cbor::<Record>(black_box(&cbor)));
    }

    #[divan::bench]
    fn dagcbor(bencher: Bencher<'_, '_>) {
        let cbor = cbor();
        bencher.bench(|| serde_ipld_dagcbor::from_slice::<Record>(black_box(&cbor)));
    }
}

mod from_cbor_to_value {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let cbor = cbor();
        bencher.bench(|| data::from_cbor::<Value>(black_box(&cbor)));
    }

    #[divan::bench]
    fn dagcbor(bencher: Bencher<'_, '_>) {
        let cbor = cbor();
        bencher.bench(|| serde_ipld_dagcbor::from_slice::<Value>(black_box(&cbor)));
    }

    #[divan::bench]
    fn dagcbor_ipld(bencher: Bencher<'_, '_>) {
        let cbor = cbor();
        bencher.bench(|| serde_ipld_dagcbor::from_slice::<ipld_core::ipld::Ipld>(black_box(&cbor)));
    }
}

mod to_cbor_from_struct {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let record = record();
        bencher.bench(|| data::to_cbor(black_box(&record)));
    }

    #[divan::bench]
    fn dagcbor(bencher: Bencher<'_, '_>) {
        let record = record();
        bencher.bench(|| serde_ipld_dagcbor::to_vec(black_box(&record)));
    }
}

mod to_cbor_from_value {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let value = value();
        bencher.bench(|| data::to_cbor(black_box(&value)));
    }

    #[divan::bench]
    fn dagcbor(bencher: Bencher<'_, '_>) {
        let value = value();
        bencher.bench(|| serde_ipld_dagcbor::to_vec(black_box(&value)));
    }
}

mod from_json_to_struct {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let json = json();
        bencher.bench(|| data::from_json::<Record>(black_box(&json)));
    }

    #[divan::bench]
    fn json_alone(bencher: Bencher<'_, '_>) {
        let json = json();
        bencher.bench(|| serde_json::from_slice::<Record>(black_box(&json)));
    }
}

mod to_json_from_struct {
    use super::*;

    #[divan::bench]
    fn data(bencher: Bencher<'_, '_>) {
        let record = record();
        bencher.bench(|| data::to_json(black_box(&record)));
    }

    #[divan::bench]
    fn json_alone(bencher: Bencher<'_, '_>) {
        let record = record();
        bencher.bench(|| serde_json::to_vec(black_box(&record)));
    }
}

mod values {
    use super::*;

    #[divan::bench]
    fn from_value(bencher: Bencher<'_, '_>) {
        let value = value();
        bencher.bench(|| data::from_value::<Record>(black_box(&value).clone()));
    }

    #[divan::bench]
    fn to_value(bencher: Bencher<'_, '_>) {
        let record = record();
        bencher.bench(|| data::to_value(black_box(&record)));
    }
}
