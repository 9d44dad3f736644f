use huddle_firehose::Cid;
use huddle_lexicon::com::huddle::defs::Policy;

use super::*;

fn did() -> Did {
    "did:web:ada.example.com".parse().unwrap()
}

/// More bytes than any record here has.
const MOST: u32 = 64 << 10;

/// A record of a collection, as JSON.
fn change(collection: &str, rkey: &str, json: &str) -> Change {
    let record: Map = data::from_json(json.as_bytes()).unwrap();
    let bytes = data::to_cbor(&record).unwrap();
    Change {
        collection: collection.to_owned(),
        rkey: rkey.to_owned(),
        record: Outcome::Record {
            cid: Cid::of_cbor(&bytes),
            bytes: bytes.into(),
        },
    }
}

fn read(collection: &str, rkey: &str, json: &str) -> Entries {
    Entries::read(&did(), &[change(collection, rkey, json)], MOST)
}

const OFFER: &str = r#"{"$type": "com.huddle.slotOffer", "start": "2026-12-01T10:00:00Z",
    "end": "2026-12-01T12:00:00+01:00", "policy": "follower", "note": "Lunch", "later": {"a": [1]},
    "createdAt": "2026-11-20T08:30:00.000Z"}"#;
const HOURS: &str = r#"{"$type": "com.huddle.officeHours", "tz": "Europe/Berlin", "rules": [],
    "policy": "anyone", "mode": "approve", "createdAt": "2026-11-20T08:30:00.000Z"}"#;
const REQUEST: &str = r#"{"$type": "com.huddle.bookingRequest", "hostDid": "did:web:bob.example.com",
    "constraints": {"durationMin": 30}, "createdAt": "2026-11-20T08:30:00.000Z"}"#;
const SERVICE: &str = r#"{"$type": "com.huddle.service", "did": "did:web:huddle.example",
    "createdAt": "2026-11-20T08:30:00.000Z"}"#;

#[test]
fn an_offer_is_kept_as_it_stands_with_what_lists_ask_for() {
    let offer = r#"{"$type": "com.huddle.slotOffer", "start": "2026-12-01T10:00:00Z",
        "end": "2026-12-01T11:00:00.000Z", "policy": "follower", "note": "Lunch", "later": {"a": [1]},
        "createdAt": "2026-11-20T08:30:00.000Z"}"#;
    let entries = read("com.huddle.slotOffer", "a", offer);
    let [entry] = &entries.offers[..] else {
        panic!("{entries:?}");
    };
    assert_eq!(
        entry.uri,
        "at://did:web:ada.example.com/com.huddle.slotOffer/a"
    );
    let content = entry.content.as_ref().unwrap();
    assert_eq!(content.starts.as_secs(), 1_796_119_200);
    assert_eq!(content.ends.as_secs() - content.starts.as_secs(), 3600);
    assert_eq!((&*content.policy, &*content.mode), ("follower", "auto"));
    assert_eq!(content.note.as_deref(), Some("Lunch"));
    let kept: Map = data::from_json(content.record.as_bytes()).unwrap();
    let written: Map = data::from_json(offer.as_bytes()).unwrap();
    assert_eq!(kept, written);
}

#[track_caller]
fn check_times(validity: &str, expect: (i64, i64)) {
    let json = HOURS.replace("\"rules\": []", &format!("\"rules\": []{validity}"));
    let entries = read("com.huddle.officeHours", "a", &json);
    let content = entries.offers[0].content.as_ref().unwrap();
    let hours = |moment: Timestamp| moment.as_secs() / 3600;
    assert_eq!((hours(content.starts), hours(content.ends)), expect);
}

#[test]
fn office_hours_hold_wherever_it_can_be_such_a_date() {
    // 2026-12-01T00:00Z is 498,888 hours after 1970.
    let (day, never) = (498_912, 70_389_527);
    check_times("", (0, never));
    check_times(", \"validFrom\": \"2026-12-01\"", (day - 14, never));
    check_times(", \"validUntil\": \"2026-12-01\"", (0, day + 36));
}

#[track_caller]
fn check_left_out(collection: &str, rkey: &str, json: &str, why: &str) {
    let entries = read(collection, rkey, json);
    let [left_out] = &entries.left_out[..] else {
        panic!("{json}: {entries:?}");
    };
    assert_eq!(left_out.collection, collection);
    assert!(left_out.why.contains(why), "{}", left_out.why);
    let nothing = |entry: &offers::Entry| entry.content.is_none();
    assert!(entries.offers.iter().all(nothing), "{entries:?}");
    assert!(entries.requests.iter().all(|it| it.content.is_none()));
    assert!(entries.services.iter().flatten().next().is_none());
}

#[test]
fn a_record_that_is_wrong_is_left_out_and_what_was_there_is_gone() {
    let offer = |find: &str, replace: &str| OFFER.replace(find, replace);
    check_left_out(
        "com.huddle.slotOffer",
        "a",
        &offer("10:00:00Z", "11:00:00Z"),
        "end: ",
    );
    check_left_out(
        "com.huddle.slotOffer",
        "a",
        &offer("\"Lunch\"", "5"),
        "note",
    );
    check_left_out("com.huddle.slotOffer", "a", HOURS, "");
    let endless = HOURS.replace(
        "\"rules\": []",
        "\"rules\": [], \"validUntil\": \"2026-02-30\"",
    );
    check_left_out("com.huddle.officeHours", "a", &endless, "validUntil");
    let long = offer("Lunch", &"x".repeat(70_000));
    check_left_out("com.huddle.slotOffer", "a", &long, "70");
    let own = REQUEST.replace("bob", "ada");
    check_left_out("com.huddle.bookingRequest", "a", &own, "hostDid");
    check_left_out(
        "com.huddle.service",
        "self",
        "{\"$type\": \"com.huddle.service\"}",
        "did",
    );
}

#[test]
fn what_is_gone_or_refused_leaves_nothing() {
    let mut gone = change("com.huddle.service", "self", SERVICE);
    assert!(Entries::read(&did(), &[gone.clone()], MOST).services[0].is_some());
    gone.record = Outcome::Gone;
    assert_eq!(Entries::read(&did(), &[gone], MOST).services, [None]);
    let other = read("com.huddle.service", "other", SERVICE);
    assert_eq!(other, Entries::default());
}

#[test]
fn a_record_is_as_long_as_it_may_be_and_no_longer() {
    let service = change("com.huddle.service", "self", SERVICE);
    let Outcome::Record { bytes, .. } = &service.record else {
        panic!("{service:?}");
    };
    let length = u32::try_from(bytes.len()).unwrap();
    let read = |most| Entries::read(&did(), std::slice::from_ref(&service), most);
    assert!(read(length).services[0].is_some());
    let entries = read(length - 1);
    assert_eq!(entries.services, [None]);
    let why = format!("{length} bytes; the most is {}", length - 1);
    assert_eq!(entries.left_out[0].why, why);
}

#[track_caller]
fn version_of(json: &str) -> Option<String> {
    let entries = read("com.huddle.bookingRequest", "a", json);
    assert_eq!(entries.left_out, []);
    let content = entries.requests[0].content.clone();
    content.map(|content| content.version)
}

#[test]
fn other_constraints_are_another_request_and_another_note_is_not() {
    let version = version_of(REQUEST).unwrap();
    let with = |more: &str| REQUEST.replace("\"createdAt\"", &format!("{more}, \"createdAt\""));
    for same in ["\"note\": \"Hello\"", "\"status\": \"held\""] {
        assert_eq!(version_of(&with(same)), Some(version.clone()), "{same}");
    }
    for (find, replace) in [
        ("\"durationMin\": 30", "\"durationMin\": 60"),
        ("bob", "cleo"),
        ("08:30", "08:31"),
    ] {
        let other = version_of(&REQUEST.replace(find, replace));
        assert_ne!(other, Some(version.clone()), "{replace}");
    }
    assert_eq!(version_of(&with("\"status\": \"withdrawn\"")), None);
}

fn imported(json: &str) -> OfficeHours {
    let json = json.replacen('{', "{\"$type\": \"social.schedule.availability\", ", 1);
    let entries = read(availability::COLLECTION, "a", &json);
    assert_eq!(entries.left_out, [], "{json}");
    let content = entries.offers[0].content.as_ref().unwrap();
    OfficeHours::from_json(content.record.as_bytes()).unwrap()
}

#[test]
fn availability_of_another_app_is_read_as_office_hours() {
    let hours = imported(
        r#"{"title": "Coffee", "duration": 45, "bookingRules": {"autoAccept": "follows"},
        "timeSlots": [
            {"dayOfWeek": 1, "startTime": "09:00", "endTime": "12:30:00", "timezone": "Europe/Paris"},
            {"dayOfWeek": "sunday", "startTime": "10:00", "endTime": "11:00"},
            {"dayOfWeek": 2, "startTime": "10:00", "endTime": "11:00", "timezone": "Asia/Tokyo"},
            {"dayOfWeek": 9, "startTime": "10:00", "endTime": "11:00"},
            {"dayOfWeek": 3, "startTime": "ten", "endTime": "11:00"}],
        "bufferBefore": 5, "createdAt": "2026-11-20T08:30:00.000Z"}"#,
    );
    let rules = hours.rules.iter().map(|rule| {
        let days: Vec<_> = rule.days.iter().map(ToString::to_string).collect();
        format!("{} {}-{}", days.join(","), rule.start, rule.end)
    });
    assert_eq!(
        rules.collect::<Vec<_>>(),
        ["MO 09:00-12:30", "SU 10:00-11:00"]
    );
    assert_eq!(hours.tz, "Europe/Paris");
    assert_eq!(hours.policy, Policy::Connected);
    assert_eq!(hours.mode_or_default().as_str(), "auto");
    assert_eq!(hours.durations, Some(vec![45]));
    assert_eq!(hours.note.as_deref(), Some("Coffee"));
    assert_eq!(hours.created_at.as_str(), "2026-11-20T08:30:00.000Z");
}

#[test]
fn any_record_of_the_other_app_becomes_office_hours_that_a_host_can_refuse() {
    for json in [
        r#"{"id": "a"}"#,
        r#"{"title": 5, "duration": 100000, "timeSlots": {"a": 1}, "bookingRules": []}"#,
        r#"{"timeSlots": [null, {}, {"timezone": ""}], "createdAt": "yesterday"}"#,
    ] {
        let hours = imported(json);
        assert_eq!((hours.tz.as_str(), hours.rules.len()), ("UTC", 0), "{json}");
        assert_eq!(hours.mode_or_default().as_str(), "approve");
    }
    let long = format!(r#"{{"title": "{}"}}"#, "é".repeat(1000));
    assert_eq!(imported(&long).note, Some("é".repeat(280)));
}
