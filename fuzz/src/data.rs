//! Targets `data_cbor` and `data_json`: the formats of the data model, whatever the value.

use crate::Target;
use crate::mutate::{self, Random};
use crate::repository::conformance;
use data_encoding::BASE64_NOPAD;
use huddle_syntax::data::{self, Map, Value};
use serde::de::IgnoredAny;
use serde_json::{Value as Json, json};
use std::sync::LazyLock;

/// Bytes are refused, or they are the one canonical form of the value they hold, which JSON can hold too.
pub const CBOR: Target = Target {
    name: "data_cbor",
    check: check_cbor,
    mutate: mutate_cbor,
    seeds: cbor_seeds,
};

/// JSON is refused, or its value is what another reader sees in it, and survives both formats.
pub const JSON: Target = Target {
    name: "data_json",
    check: check_json,
    mutate: |input, random| mutate::json(input, &DONORS, random),
    seeds: json_seeds,
};

fn check_cbor(input: &[u8]) {
    let decoded = data::from_cbor::<Value>(input);
    // What is asked for does not matter to what is refused.
    assert_eq!(
        data::from_cbor::<IgnoredAny>(input).is_ok(),
        decoded.is_ok()
    );
    let Ok(value) = decoded else {
        return;
    };
    assert_eq!(data::to_cbor(&value).as_deref(), Ok(input));
    check_lengths(input);
    check_value(&value);
    let json = data::to_json(&value).expect("what CBOR holds, JSON can hold");
    assert_eq!(data::from_json(&json), Ok(value));
}

/// A canonical item is as long as it is: nothing can be missing or follow it.
fn check_lengths(item: &[u8]) {
    assert_eq!(data::item_len(item), Ok(item.len()));
    let two = [item, item].concat();
    assert_eq!(data::item_len(&two), Ok(item.len()));
    assert!(data::from_cbor::<Value>(&two).is_err());
    let cut = &item[..item.len() - 1];
    assert!(data::item_len(cut).is_err());
    assert!(data::from_cbor::<Value>(cut).is_err());
}

fn check_json(input: &[u8]) {
    let Ok(value) = data::from_json::<Value>(input) else {
        return;
    };
    let json = data::to_json(&value).expect("what was decoded can be encoded");
    assert_eq!(data::from_json(&json).as_ref(), Ok(&value));
    let read = |json| serde_json::from_slice(json).expect("it is JSON to everybody");
    assert!(is_same(&read(input), &read(&json)));
    check_value(&value);
    let cbor = data::to_cbor(&value).expect("what JSON holds, CBOR can hold");
    assert_eq!(data::from_cbor(&cbor), Ok(value));
}

/// A value is itself to those who ask for a value, and a map to those who ask for a map.
fn check_value(value: &Value) {
    assert_eq!(data::to_value(value).as_ref(), Ok(value));
    assert_eq!(data::from_value(value.clone()).as_ref(), Ok(value));
    let map = match value {
        Value::Map(map) => Some(map),
        _ => None,
    };
    assert_eq!(
        data::from_value::<Map>(value.clone()).ok().as_ref(),
        map,
        "as a map"
    );
}

/// Whether two texts of JSON are the same data: `1.0` is `1`, and base64 need not be canonical.
fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            one == other || one.is_f64() && one.as_f64() == other.as_f64()
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| match (value, other.get(name)) {
                        (Json::String(one), Some(Json::String(other))) if name == "$bytes" => {
                            is_same_base64(one.trim_end_matches('='), other)
                        }
                        (one, Some(other)) => is_same(one, other),
                        (_, None) => false,
                    })
        }
        (one, other) => one == other,
    }
}

/// Whether two texts of base64 are the same bytes: some bits of the last digit may stand for nothing.
fn is_same_base64(one: &str, other: &str) -> bool {
    let whole = other.len().saturating_sub(1);
    one.len() == other.len() && one[..whole] == other[..whole]
}

/// Edits the JSON of what the bytes hold, and encodes it again if it is of the data model.
fn mutate_cbor(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let json = match data::from_cbor::<Value>(input) {
        Ok(value) => data::to_json(&value).ok()?,
        Err(_) => Vec::new(),
    };
    to_cbor(&mutate::json(&json, &DONORS, random)?)
}

fn to_cbor(json: &[u8]) -> Option<Vec<u8>> {
    let value: Value = data::from_json(json).ok()?;
    data::to_cbor(&value).ok()
}

/// Every kind of value, and what is almost one.
static DONORS: LazyLock<Vec<Json>> = LazyLock::new(|| {
    let mut deep = json!(0);
    for _ in 1..data::MAX_DEPTH {
        deep = json!([deep]);
    }
    vec![
        json!({"a": null, "b": [true, false], "aa": -1, "": "é", "c": {"d": {}}, "e": []}),
        json!([
            0,
            23,
            24,
            255,
            256,
            65_535,
            65_536,
            4_294_967_295_u32,
            4_294_967_296_u64
        ]),
        json!([
            -24,
            -25,
            -256,
            -257,
            i64::MAX,
            i64::MIN,
            123.0,
            0.5,
            u64::MAX
        ]),
        json!({"$bytes": ""}),
        json!({"list": [{"$bytes": "AQI"}, {"$bytes": "AQI="}, {"$bytes": "AQJ"}]}),
        json!({"$link": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"}),
        json!({"$link": "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"}),
        json!({
            "$type": "blob",
            "ref": {"$link": "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"},
            "mimeType": "image/png",
            "size": 1000,
        }),
        json!({"cid": "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "mimeType": "a/b"}),
        json!({"$type": "com.example.record", "$link": 1, "$bytes": [], "x": "y"}),
        deep,
    ]
});

fn json_seeds() -> Vec<Vec<u8>> {
    let files = [
        "data-model/data-model-fixtures.json",
        "data-model/data-model-valid.json",
        "data-model/data-model-invalid.json",
        "lexicon/record-data-valid.json",
    ];
    let cases = files.into_iter().flat_map(conformance);
    let vectors = cases.filter_map(|case| case.get("json").or(case.get("data")).cloned());
    DONORS
        .iter()
        .cloned()
        .chain(vectors)
        .map(|json| json.to_string().into_bytes())
        .collect()
}

fn cbor_seeds() -> Vec<Vec<u8>> {
    let vectors = conformance("data-model/data-model-fixtures.json");
    let vectors = vectors.iter().map(|case| {
        let base64 = case["cbor_base64"].as_str().expect("a vector has its CBOR");
        BASE64_NOPAD
            .decode(base64.trim_end_matches('=').as_bytes())
            .expect("a vector's CBOR is base64")
    });
    let own = json_seeds();
    vectors
        .chain(own.iter().filter_map(|json| to_cbor(json)))
        .collect()
}
