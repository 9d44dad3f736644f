//! The runtime of generated types, shown on types written by hand in the generator's shape.

#![expect(clippy::option_option, reason = "an optional field that may be null")]

use huddle_syntax::data::{Map, Value};
use huddle_syntax::schema::{
    self, At, Audience, Constraints, Data, Frame, FrameError, Invalid, Message, Params, Permission,
    PermissionSet, Problem, QueryPairs, QueryWriter, Unit, Unknown, check,
};
use huddle_syntax::{Blob, CidLink, Datetime, Did};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    start: Datetime,
    policy: Policy,
    note: Option<String>,
    place: Option<Option<Place>>,
    extra: Map,
}

impl Constraints for Offer {
    fn check_fields(&self) -> Result<(), Invalid> {
        if let Some(note) = &self.note {
            check::max_graphemes(note, 5).at("note")?;
        }
        self.place.check().at("place")
    }
}

huddle_syntax::record!(Offer = "com.example.offer", key "tid" {
    start: required "start",
    policy: required "policy",
    note: optional "note",
    place: optional "place",
} ..extra);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Room {
    floor: i64,
    extra: Map,
}

impl Constraints for Room {
    fn check_fields(&self) -> Result<(), Invalid> {
        check::maximum(self.floor, 99).at("floor")
    }
}

huddle_syntax::object!(Room = "com.example.defs#room" { floor: required "floor" } ..extra);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Room(Box<Room>),
    Unknown(Unknown),
}

huddle_syntax::union!(Place { Room(Room) } ..Unknown);
huddle_syntax::message!(Place { Room = "#room" } ..Unknown);

#[derive(Clone, Debug, PartialEq, Eq)]
enum OnlyRoom {
    Room(Box<Room>),
}

huddle_syntax::union!(OnlyRoom { Room(Room) });

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Policy {
    Mutual,
    Anyone,
    Other(String),
}

huddle_syntax::text_enum!(Policy { Mutual = "mutual", Anyone = "anyone" } ..Other);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Day {
    Monday,
    Tuesday,
}

huddle_syntax::text_enum!(Day { Monday = "MO", Tuesday = "TU" });

const MINIMAL: &str =
    r#"{"$type":"com.example.offer","start":"2026-12-01T10:00:00-10:00","policy":"anyone"}"#;

fn with(fields: &str) -> String {
    format!("{},{fields}}}", &MINIMAL[..MINIMAL.len() - 1])
}

#[track_caller]
fn survives(json: &str) {
    let offer = Offer::from_json(json.as_bytes()).expect("valid");
    assert_eq!(
        String::from_utf8(offer.to_json().expect("valid")).expect("UTF-8"),
        json
    );
    let cbor = offer.to_cbor().expect("valid");
    assert_eq!(Offer::from_cbor(&cbor).expect("valid"), offer);
    assert_eq!(
        Offer::from_value(&offer.to_value().expect("valid")).expect("valid"),
        offer
    );
    assert_eq!(serde_json::to_string(&offer).expect("valid"), json);
}

#[track_caller]
fn refused(json: &str, path: &str, problem: impl FnOnce(&Problem) -> bool) {
    let invalid = Offer::from_json(json.as_bytes()).expect_err("invalid");
    assert_eq!(invalid.path(), path, "{invalid}");
    assert!(problem(invalid.problem()), "{invalid:?}");
    let serde = serde_json::from_str::<Offer>(json).expect_err("serde's traits check too");
    assert!(!serde.to_string().is_empty());
}

fn malformed(problem: &Problem) -> bool {
    matches!(problem, Problem::Malformed(_))
}

#[test]
fn what_the_schema_names_and_what_it_does_not_survive_a_rewrite() {
    survives(MINIMAL);
    survives(&with(r#""note":"five!""#));
    survives(&with(r#""place":null"#));
    survives(&with(
        r#""place":{"$type":"com.example.defs#room","floor":2}"#,
    ));
    survives(&with(
        r#""place":{"$type":"com.example.defs#room","floor":2,"door":"left"}"#,
    ));
    survives(&with(
        r#""place":{"pegs":[1,2,{"a":{"$bytes":"AQI"}}],"$type":"org.example.tent"}"#,
    ));
    survives(&with(r#""later":{"b":1,"aa":null}"#));
    survives(&MINIMAL.replace("anyone", "friends of friends"));
}

#[test]
fn errors_name_the_place_in_the_lexicons_names() {
    refused("[]", "", malformed);
    refused("{}", "$type", |p| *p == Problem::Missing);
    refused(
        r#"{"$type":"com.example.offer","policy":"anyone"}"#,
        "start",
        |p| *p == Problem::Missing,
    );
    refused(
        &MINIMAL.replace("com.example.offer", "com.example.other"),
        "$type",
        |p| matches!(p, Problem::NotAllowed { allowed } if allowed == "com.example.offer"),
    );
    refused(
        &MINIMAL.replace("2026-12-01", "2026-13-01"),
        "start",
        malformed,
    );
    refused(&with(r#""note":null"#), "note", malformed);
    refused(&with(r#""note":7"#), "note", malformed);
    refused(&with(r#""note":"123456""#), "note", |p| {
        *p == Problem::TooLong {
            unit: Unit::Graphemes,
            maximum: 5,
            actual: 6,
        }
    });
    refused(&with(r#""place":{"floor":2}"#), "place/$type", |p| {
        *p == Problem::Missing
    });
    refused(
        &with(r#""place":{"$type":"com.example.defs#room","floor":100}"#),
        "place/floor",
        |p| {
            *p == Problem::TooLarge {
                maximum: 99,
                actual: 100,
            }
        },
    );
}

#[test]
fn a_nested_type_error_names_the_whole_path() {
    let json = with(r#""place":{"$type":"com.example.defs#room","floor":"two"}"#);
    let invalid = Offer::from_json(json.as_bytes()).expect_err("floor is not an integer");
    assert!(
        invalid.to_string().starts_with("place/floor: "),
        "{invalid}"
    );
    let json = with(r#""place":{"$type":"com.example.defs#room"}"#);
    let invalid = Offer::from_json(json.as_bytes()).expect_err("no floor");
    assert_eq!(
        (invalid.path(), invalid.problem()),
        ("place/floor", &Problem::Missing)
    );
}

#[test]
fn a_field_may_not_be_there_twice_whoever_reads_it() {
    for field in [
        r#""note":"a""#,
        r#""later":1"#,
        r#""$type":"com.example.offer""#,
    ] {
        let json = with(&format!("{field},{field}"));
        assert!(Offer::from_json(json.as_bytes()).is_err(), "{json}");
        assert!(serde_json::from_str::<Offer>(&json).is_err(), "{json}");
    }
}

#[test]
fn unknown_fields_in_the_worst_order_take_no_longer_than_in_the_best() {
    // With a cost that grows by the square this takes minutes.
    let fields: Vec<_> = (0..400_000)
        .rev()
        .map(|n| format!(r#""f{n:06}":{n}"#))
        .collect();
    let json = with(&fields.join(","));
    let offer: Offer = serde_json::from_str(&json).expect("valid");
    assert_eq!(offer.extra.len(), fields.len());
    assert!(offer.extra.keys().is_sorted());
}

#[test]
fn an_invalid_value_is_not_encoded() {
    let offer = Offer::from_json(MINIMAL.as_bytes()).expect("valid");
    let long = Offer {
        note: Some("123456".to_owned()),
        ..offer.clone()
    };
    assert_eq!(long.to_cbor().expect_err("too long").path(), "note");
    assert_eq!(long.to_json().expect_err("too long").path(), "note");
    assert!(serde_json::to_string(&long).is_err());
    assert_eq!(long.valid().expect_err("too long").path(), "note");

    let room = Map::from_iter([
        ("$type".to_owned(), Value::from("com.example.defs#room")),
        ("floor".to_owned(), Value::Integer(100)),
    ]);
    let hidden = Place::Unknown(Unknown::new(room).expect("it has a type"));
    let hidden = Offer {
        place: Some(Some(hidden)),
        ..offer.clone()
    };
    assert_eq!(
        hidden
            .check()
            .expect_err("a member passes for unknown")
            .path(),
        "place"
    );
    assert!(hidden.to_cbor().is_err());

    let blob = Blob {
        cid: CidLink::of_raw(b""),
        mime_type: String::new(),
        size: 1,
    };
    assert!(
        blob.to_cbor().is_err(),
        "no reader takes a blob without a type"
    );
    let blob = Blob {
        mime_type: "text/plain".to_owned(),
        size: 0,
        ..blob
    };
    assert!(
        blob.to_cbor().is_err(),
        "no reader takes a blob without a size"
    );

    let mut twice = offer;
    twice.extra.insert("note".to_owned(), Value::from("hidden"));
    let hidden = twice
        .to_cbor()
        .expect_err("a field of the schema hides in extra");
    assert_eq!(hidden.path(), "note");
}

#[test]
fn a_closed_set_takes_only_its_values_and_a_closed_union_only_its_members() {
    assert_eq!(
        Vec::<Day>::from_json(br#"["MO","TU"]"#),
        Ok(vec![Day::Monday, Day::Tuesday])
    );
    let invalid = Vec::<Day>::from_json(br#"["MO","FR"]"#).expect_err("not in the set");
    assert_eq!(invalid.path(), "1");
    assert_eq!(
        invalid.problem(),
        &Problem::NotAllowed {
            allowed: "MO, TU".to_owned()
        }
    );

    let tent = br#"{"$type":"org.example.tent"}"#;
    assert!(
        matches!(Place::from_json(tent), Ok(Place::Unknown(u)) if u.type_name() == "org.example.tent")
    );
    let invalid = OnlyRoom::from_json(tent).expect_err("not a member");
    assert_eq!(
        invalid.problem(),
        &Problem::NotAllowed {
            allowed: "com.example.defs#room".to_owned()
        }
    );
}

#[test]
fn a_field_of_unknown_type_takes_objects_only() {
    for (json, taken) in [
        (r#"{"a":1}"#, true),
        (r#"{"$type":"com.example.defs#room","floor":"any"}"#, true),
        ("{}", true),
        ("false", false),
        (r#"{"$bytes":"AQI"}"#, false),
        (
            r#"{"$link":"bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"}"#,
            false,
        ),
        (BLOB, false),
    ] {
        assert_eq!(Map::from_json(json.as_bytes()).is_ok(), taken, "{json}");
    }
    // As a value a blob is a map; where the schema says `unknown`, it is as little written as read.
    let blob: Map = serde_json::from_str(BLOB).expect("a map");
    assert!(blob.to_cbor().is_err());
    let holder = Holder {
        any: blob,
        extra: Map::new(),
    };
    assert!(holder.to_json().is_err());
    assert!(holder.to_cbor().is_err());
}

const BLOB: &str = r#"{
    "$type": "blob",
    "ref": {"$link": "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"},
    "mimeType": "a/b",
    "size": 1
}"#;

/// As the generator writes it: a field of type `unknown` has no constraint to check.
#[derive(Debug)]
struct Holder {
    any: Map,
    extra: Map,
}

impl Constraints for Holder {}
huddle_syntax::object!(Holder = "" { any: required "any" } ..extra);

#[test]
fn parameters_are_read_by_name_and_repeated_names_are_arrays() {
    #[track_caller]
    fn check<T: schema::FromParam + PartialEq + std::fmt::Debug>(
        query: &str,
        expect: Result<Option<T>, &str>,
    ) {
        let found = QueryPairs::new(query)
            .optional::<T>("a")
            .map_err(|e| e.path().to_owned());
        assert_eq!(found, expect.map_err(str::to_owned), "{query}");
    }
    check("", Ok(None::<i64>));
    check("a=5&b=x", Ok(Some(5)));
    check("a=-5", Ok(Some(-5)));
    check::<i64>("a=+5", Err("a"));
    check::<i64>("a=%2B5", Err("a"));
    check::<i64>("a=", Err("a"));
    check::<i64>("a=-", Err("a"));
    check::<i64>("a=5.0", Err("a"));
    check::<i64>("a=9223372036854775808", Err("a"));
    check::<i64>("a=5&a=5", Err("a"));
    check("a=true", Ok(Some(true)));
    check::<bool>("a=1", Err("a"));
    check("a=b+c%20%C3%A9", Ok(Some("b c é".to_owned())));
    check("a", Ok(Some(String::new())));
    check("%61=x", Ok(Some("x".to_owned())));
    check("a=100%&b=%zz", Ok(Some("100%".to_owned())));
    check("a=%EF%BF%BD", Ok(Some("\u{fffd}".to_owned())));

    let pairs = QueryPairs::new("n=1&n=2&m=x");
    assert_eq!(pairs.optional_list::<i64>("n"), Ok(Some(vec![1, 2])));
    assert_eq!(pairs.optional_list::<i64>("none"), Ok(None));
    assert_eq!(
        pairs.required::<i64>("none").map_err(|e| e.to_string()),
        Err("none: required, but missing".to_owned())
    );
    assert_eq!(
        QueryPairs::new("n=1&n=x")
            .optional_list::<i64>("n")
            .expect_err("x")
            .path(),
        "n/1"
    );

    let mut query = QueryWriter::default();
    query.required_list("n", &[1, 2]).expect("two items");
    query.optional("s", &Some("b c&é"));
    query.optional("none", &None::<String>);
    assert_eq!(query.finish(), "n=1&n=2&s=b+c%26%C3%A9");
}

#[test]
fn a_parameter_that_is_not_utf_8_is_refused_by_name() {
    #[track_caller]
    fn check(query: &str, expect: Result<Option<Vec<String>>, &str>) {
        let found = QueryPairs::new(query)
            .optional_list::<String>("a")
            .map_err(|invalid| invalid.to_string());
        assert_eq!(found, expect.map_err(str::to_owned), "{query}");
    }
    check("a=x&a=%FF", Err("a/1: must be UTF-8"));
    check("a=%C3", Err("a/0: must be UTF-8"));
    check("a=%ED%A0%80", Err("a/0: must be UTF-8"));
    // What the lexicon does not name is ignored, whatever it is.
    check("b=%FF&%FF=1", Ok(None));
}

#[derive(Debug, PartialEq)]
struct Lists {
    must: Vec<i64>,
    may: Option<Vec<i64>>,
}

impl Constraints for Lists {}
huddle_syntax::params!(Lists { must: required_list "must", may: optional_list "may" });

#[test]
fn an_empty_array_is_none_in_a_query_string_and_none_is_not_enough_where_one_must_be() {
    let query = |must: &[i64], may| {
        let must = must.to_vec();
        Lists { must, may }.to_query().map_err(|e| e.to_string())
    };
    assert_eq!(
        query(&[1, 2], Some(vec![3])),
        Ok("must=1&must=2&may=3".to_owned())
    );
    assert_eq!(query(&[1], Some(vec![])), Ok("must=1".to_owned()));
    assert_eq!(
        query(&[], None),
        Err("must: has 0 items, and must have at least 1".to_owned())
    );
    let read = Lists::from_query("must=1").expect("may is absent");
    assert_eq!(read.may, None);
    assert_eq!(
        Lists::from_query("may=1").map_err(|e| e.to_string()),
        Err("must: required, but missing".to_owned())
    );
}

#[test]
fn a_frame_is_a_header_and_a_body() {
    let room = Place::from(Room {
        floor: 3,
        extra: Map::new(),
    });
    let frame = Frame::Message(room);
    let bytes = frame.encode().expect("valid");
    assert_eq!(bytes, b"\xa2\x61t\x65#room\x62op\x01\xa1\x65floor\x03");
    assert_eq!(Frame::<Place>::decode(&bytes), Ok(frame));

    let error = Frame::<Place>::Error {
        error: "FutureCursor".to_owned(),
        message: Some("too far".to_owned()),
    };
    assert_eq!(Frame::decode(&error.encode().expect("valid")), Ok(error));

    for (bytes, is_invalid) in [
        (
            &b"\xa2\x61t\x65#room\x62op\x01\xa1\x65floor\x18\x64"[..],
            true,
        ),
        (b"\xa2\x61t\x65#room\x62op\x01\xa1\x65floor\x03\x00", true),
        (b"\xa1\x62op\x01\xa0", false),
        (b"\xa0\xa0", false),
        (b"", false),
        (b"\xa2\x61t\x65#room\x62op\x01", true),
        (b"\xa2\x61t\x65#tent\x62op\x01", false),
        (b"\xa1\x62op\x02", false),
    ] {
        let found = Frame::<Place>::decode(bytes).expect_err("no frame");
        assert_eq!(
            matches!(found, FrameError::Invalid(_)),
            is_invalid,
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn a_frame_that_the_lexicon_does_not_name_is_passed_on_as_it_came() {
    #[track_caller]
    fn check(bytes: &[u8], frame_type: Option<&str>) {
        let frame = Frame::<Place>::decode(bytes).expect("a frame");
        assert_eq!(frame.encode().expect("valid"), bytes);
        let Frame::Unknown(frame) = frame else {
            panic!("{frame:?} is unknown");
        };
        assert_eq!(frame.frame_type(), frame_type);
        assert_eq!(frame.body().get("n"), Some(&Value::Integer(7)));
    }
    check(b"\xa2\x61t\x65#tent\x62op\x01\xa1\x61n\x07", Some("#tent"));
    check(
        b"\xa3\x61t\x77com.example.defs#picnic\x61v\x02\x62op\x01\xa1\x61n\x07",
        Some("com.example.defs#picnic"),
    );
    check(b"\xa1\x62op\x02\xa1\x61n\x07", None);
    check(b"\xa1\x62op\x21\xa1\x61n\x07", None);
}

#[test]
fn the_type_of_a_message_may_have_the_nsid_of_its_lexicon_in_front() {
    let body = b"\xa1\x65floor\x03";
    for (name, is_room) in [
        ("#room", true),
        ("com.example.defs#room", true),
        ("com.example.other#room", false),
        ("com.example.defs", false),
        ("room", false),
        ("", false),
    ] {
        let header = Map::from([("op", Value::Integer(1)), ("t", name.into())]);
        let frame = [header.to_cbor().expect("valid"), body.to_vec()].concat();
        let frame = Frame::<Place>::decode(&frame).expect("a frame");
        assert_eq!(
            matches!(frame, Frame::Message(Place::Room(_))),
            is_room,
            "{name}"
        );
    }
}

#[test]
fn a_message_that_the_lexicon_does_not_name_has_its_type_in_the_header_alone() {
    #[track_caller]
    fn check(name: &str, frame_type: &str) {
        let object = Map::from([("$type", name.into()), ("n", Value::Integer(7))]);
        let place = Place::Unknown(Unknown::new(object).expect("has a $type"));
        assert_eq!(place.frame_type(), frame_type);
        let bytes = Frame::Message(place).encode().expect("valid");
        let Ok(Frame::Unknown(frame)) = Frame::<Place>::decode(&bytes) else {
            panic!("{} is unknown", bytes.escape_ascii());
        };
        assert_eq!(frame.frame_type(), Some(frame_type));
        assert_eq!(*frame.body(), Map::from([("n", Value::Integer(7))]));
    }
    check("com.example.defs#tent", "#tent");
    check("com.example.defs", "com.example.defs");
    check("com.example.defsOther#tent", "com.example.defsOther#tent");
    check("com.example.tent", "com.example.tent");

    for name in ["com.example.defs#room", "#room"] {
        let object = Map::from([("$type", Value::from(name))]);
        let room = Place::Unknown(Unknown::new(object).expect("has a $type"));
        let refusal = Frame::Message(room).encode().expect_err("it is known");
        assert_eq!(
            refusal.to_string(),
            format!("{name} is not unknown to this union")
        );
    }
}

#[test]
fn a_permission_set_is_asked_for_by_one_scope_or_by_many() {
    const SET: PermissionSet = PermissionSet {
        nsid: "com.example.authFull",
        title: "Everything",
        title_lang: &[],
        detail: "",
        detail_lang: &[],
        permissions: &[
            Permission::Repo {
                collections: &["com.example.offer"],
                actions: &["create", "delete"],
            },
            Permission::Repo {
                collections: &["com.example.a", "com.example.b"],
                actions: &[],
            },
            Permission::Rpc {
                methods: &["com.example.find"],
                audience: Audience::Inherited,
            },
            Permission::Rpc {
                methods: &["com.example.x", "com.example.y"],
                audience: Audience::Any,
            },
        ],
    };
    let did: Did = "did:web:huddle.example".parse().expect("valid");
    assert_eq!(SET.scope(None), "include:com.example.authFull");
    assert_eq!(
        SET.scope(Some((&did, "huddle_appview"))),
        "include:com.example.authFull?aud=did:web:huddle.example%23huddle_appview"
    );
    assert_eq!(
        SET.scopes(Some((&did, "huddle_appview"))),
        [
            "repo:com.example.offer?action=create&action=delete",
            "repo?collection=com.example.a&collection=com.example.b",
            "rpc:com.example.find?aud=did:web:huddle.example%23huddle_appview",
            "rpc?lxm=com.example.x&lxm=com.example.y&aud=*",
        ]
    );
    assert_eq!(
        SET.scopes(None).len(),
        3,
        "nothing inherits where there is nothing to inherit"
    );
}

#[test]
fn each_constraint_counts_in_its_own_unit() {
    let family = "👩‍👩‍👦‍👦";
    assert!(check::max_graphemes(family, 1).is_ok());
    assert!(check::min_graphemes(family, 2).is_err());
    assert!(check::max_bytes(family, 24).is_err());
    assert!(check::max_bytes(family, 25).is_ok());
    assert!(check::min_bytes("", 1).is_err());
    assert!(check::one_of(&4, &[4, 9]).is_ok());
    assert_eq!(
        check::one_of(&5, &[4, 9])
            .expect_err("not in the set")
            .to_string(),
        "must be one of 4, 9"
    );
}
