//! What the example `verdicts` says of records, whatever their collection.

use huddle_firehose::Verifier;
use huddle_lexicon::com::huddle::defs::Policy;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_lexicon::schema::Data as _;

use crate::driven::ALICE;
use crate::frames::{Item, Records, START, make, record, text, verifying_key};
use crate::input::Keys;
use crate::typed::typed;
use crate::verdict::{Check, UNTYPED, Verdict, judge};

#[track_caller]
fn judged(records: &[(&str, Vec<u8>)], check: Check) -> Verdict {
    let first = make(ALICE, None, Records::new(), 1);
    let records = records.iter().cloned();
    let records: Records = records
        .map(|(path, record)| (path.to_owned(), record))
        .collect();
    let frame = make(ALICE, Some(&first), records, 1).frame(1);
    let keys = Keys::from([(ALICE.to_owned(), verifying_key(1))]);
    judge(&frame, &keys, &mut Verifier::new(), START, check)
}

#[track_caller]
fn check(path: &str, record: Vec<u8>, expect: &str) {
    let verdict = judged(&[(path, record)], UNTYPED);
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

fn offer() -> Vec<u8> {
    let time = |text: &str| text.parse().expect("a datetime");
    let offer = SlotOffer::new(
        time("2026-12-01T10:00:00Z"),
        time("2026-12-01T12:00:00Z"),
        Policy::Anyone,
        time("2026-11-20T08:30:00.000Z"),
    );
    offer.to_cbor().expect("an offer keeps to its lexicon")
}

#[track_caller]
fn check_typed(records: &[(&str, Vec<u8>)], expect: &str, reason: &str) {
    let verdict = judged(records, typed);
    assert_eq!(
        (verdict.verdict, &*verdict.reason),
        (expect, reason),
        "{records:?}"
    );
}

#[test]
fn with_types_a_record_that_breaks_its_lexicon_is_refused_and_others_are_not_looked_at() {
    let good = ("com.huddle.slotOffer/1", offer());
    let bad = ("com.huddle.slotOffer/2", record("com.huddle.slotOffer", 1));
    check_typed(std::slice::from_ref(&good), "accept", "");
    let why = "com.huddle.slotOffer/2: start: required, but missing";
    check_typed(&[good, bad.clone()], "reject-record", why);
    check(bad.0, bad.1, "accept");
    for path in ["com.huddle.a/1", "app.bsky.graph.follow/1"] {
        let (collection, _) = path.split_once('/').expect("a path");
        check_typed(&[(path, record(collection, 1))], "accept", "");
    }
}
