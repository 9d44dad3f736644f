//! The record vectors of the interop suite, through code generated from its catalog.
//!
//! A test of the crate that `official.rs` generates; `VECTORS` is the folder of the suite.

use huddle_syntax::Value;
use huddle_syntax::data;
use huddle_syntax::schema::{Data, Record as _};
use interop_lexicons::example::lexicon::record::Record;
use interop_lexicons::registry::check_record;

fn cases(file: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read(format!("{}/{file}", env!("VECTORS"))).expect("the suite is there");
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("the suite is JSON");
    assert!(cases.len() > 2);
    cases
}

#[test]
fn valid_records_are_taken_and_keep_their_bytes() {
    for case in cases("record-data-valid.json") {
        let json = case["data"].to_string();
        let record = Record::from_json(json.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", case["name"]));
        let value: Value = data::from_json(json.as_bytes()).expect("a valid record is valid data");
        let cbor = data::to_cbor(&value).expect("a valid record is valid data");
        assert_eq!(record.to_cbor().as_ref(), Ok(&cbor), "{}", case["name"]);
        assert_eq!(check_record("example.lexicon.record", &cbor), Some(Ok(())), "{}", case["name"]);
        assert_eq!(Record::KEY.strip_prefix("literal:"), case["rkey"].as_str());
    }
}

#[test]
fn invalid_records_are_refused() {
    for case in cases("record-data-invalid.json") {
        let json = case["data"].to_string();
        assert!(Record::from_json(json.as_bytes()).is_err(), "{} was taken", case["name"]);
    }
}
