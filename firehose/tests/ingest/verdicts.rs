//! What the example `verdicts` says of records, whatever their collection.

use huddle_firehose::Verifier;

use crate::driven::ALICE;
use crate::frames::{Item, Records, START, make, record, text, verifying_key};
use crate::input::Keys;
use crate::verdict::judge;

#[track_caller]
fn check(path: &str, record: Vec<u8>, expect: &str) {
    let first = make(ALICE, None, Records::new(), 1);
    let records = Records::from([(path.to_owned(), record)]);
    let frame = make(ALICE, Some(&first), records, 1).frame(1);
    let keys = Keys::from([(ALICE.to_owned(), verifying_key(1))]);
    let verdict = judge(&frame, &keys, &mut Verifier::new(), START);
    assert_eq!(verdict.verdict, expect, "{path}: {verdict:?}");
}

#[test]
fn a_record_of_any_collection_is_to_be_one_and_an_indexed_one_is_to_be_of_its_collection() {
    let bare = Item::Map(vec![("n", Item::Int(1))]).to_bytes();
    let no_type = Item::Map(vec![("$type", Item::Int(1))]).to_bytes();
    let list = Item::List(vec![text("$type")]).to_bytes();
    let not_canonical = [&record("app.example.b", 1)[..], b"\xff"].concat();
    for path in ["com.huddle.a/1", "app.example.a/1"] {
        for bad in [&bare, &no_type, &list, &not_canonical] {
            check(path, bad.clone(), "reject-record");
        }
        let (collection, _) = path.split_once('/').expect("a path");
        check(path, record(collection, 1), "accept");
    }
    check("app.example.a/1", record("app.example.b", 1), "accept");
    check("com.huddle.a/1", record("com.huddle.b", 1), "reject-record");
}
