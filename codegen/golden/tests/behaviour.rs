//! What generated types do, shown on the golden cases.

use huddle_codegen_golden::{
    aliases, arrays, constants, defaults, deprecated, external_types, externals, formats, integers,
    known_values, main_types, nested_arrays, nullable, odd_names, permission_set, procedure, query,
    record, record_keys, recursion, strings, subscription, unions, unknown_fields,
};
use huddle_syntax::schema::{
    Call, Data, ErrorName, Frame, Method, Object, Params, Problem, Record, Subscription, TextEnum,
    Unit,
};
use huddle_syntax::{Map, Value, data};

/// Reads JSON as a type and as a value of the data model, and expects both to be the same DAG-CBOR.
#[track_caller]
fn survives<T: Data>(json: &str) -> T {
    let typed = T::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
    let value: Value =
        data::from_json(json.as_bytes()).expect("the test's JSON is of the data model");
    let cbor = data::to_cbor(&value).expect("the data model has a canonical form");
    assert_eq!(typed.to_cbor().as_ref(), Ok(&cbor), "{json}");
    assert_eq!(typed.to_value(), Ok(value), "{json}");
    T::from_cbor(&cbor).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The text of the error that JSON is refused with, path first.
#[track_caller]
fn refusal<T: Data>(json: &str) -> String {
    match T::from_json(json.as_bytes()) {
        Err(invalid) => invalid.to_string(),
        Ok(_) => panic!("{json} was taken"),
    }
}

mod records {
    use super::*;
    use record::com::golden::record::Record as Everything;

    const FULL: &str = r#"{
        "$type": "com.golden.record", "boolean": true, "integer": -7, "string": "é",
        "bytes": {"$bytes": "AQI"},
        "link": {"$link": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"},
        "blob": {"$type": "blob", "mimeType": "image/png", "size": 3,
            "ref": {"$link": "bafkreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"}},
        "unknown": {"$type": "org.example.other", "a": [1, {"b": null}]},
        "list": [1, 2, 3]
    }"#;

    #[test]
    fn every_type_of_field_is_plain_and_owned() {
        let record: Everything = survives(FULL);
        assert!(record.boolean);
        assert_eq!((record.integer, record.string.as_str()), (-7, "é"));
        assert_eq!(&record.bytes[..], [1, 2]);
        assert_eq!(
            (record.blob.mime_type.as_str(), record.blob.size),
            ("image/png", 3)
        );
        assert_eq!(
            record.unknown.get("$type"),
            Some(&Value::from("org.example.other"))
        );
        assert_eq!(record.list, [1, 2, 3]);
        assert!(record.extra.is_empty());
    }

    #[test]
    fn the_type_must_be_there_and_right() {
        assert_eq!(refusal::<Everything>("{}"), "$type: required, but missing");
        let other = FULL.replace("com.golden.record", "com.golden.other");
        assert_eq!(
            refusal::<Everything>(&other),
            "$type: must be one of com.golden.record"
        );
        let main = FULL.replace("com.golden.record", "com.golden.record#main");
        assert_eq!(
            refusal::<Everything>(&main),
            "$type: must be one of com.golden.record"
        );
    }

    #[test]
    fn unknown_fields_are_kept() {
        let json = FULL.replace(
            r#""integer""#,
            r#""later": {"b": [null], "a": {"$bytes": ""}}, "integer""#,
        );
        let record: Everything = survives(&json);
        assert_eq!(record.extra.keys().collect::<Vec<_>>(), ["later"]);
    }

    #[test]
    fn a_field_may_not_be_there_twice() {
        let json = FULL.replace(r#""boolean": true"#, r#""boolean": true, "boolean": true"#);
        assert!(refusal::<Everything>(&json).contains("twice"));
    }

    #[test]
    fn a_record_knows_its_collection_and_its_keys() {
        use record_keys::com::golden::keys;
        assert_eq!(Everything::NSID, "com.golden.record");
        assert_eq!(
            [
                keys::tid::Tid::KEY,
                keys::nsid::Nsid::KEY,
                keys::any::Any::KEY
            ],
            ["tid", "nsid", "any"]
        );
        assert_eq!(keys::literal::Literal::KEY, "literal:self");
    }

    #[test]
    fn the_registry_checks_records_by_collection() {
        use record::registry::check_record;
        let record = Everything::from_json(FULL.as_bytes()).expect("valid");
        let cbor = record.to_cbor().expect("valid");
        assert_eq!(check_record("com.golden.record", &cbor), Some(Ok(())));
        assert_eq!(check_record("com.golden.other", &cbor), None);
        let empty = check_record("com.golden.record", b"\xa0").expect("one of ours");
        assert_eq!(empty.expect_err("nothing is there").path(), "$type");
    }

    #[test]
    fn serde_checks_what_it_reads_and_writes() {
        use strings::com::golden::strings::Strings;
        let json = r#"{"$type":"com.golden.strings","bytes":"ab","graphemes":"ab","both":"a"}"#;
        let mut record: Strings = serde_json::from_str(json).expect("valid");
        assert_eq!(serde_json::to_string(&record).expect("valid"), json);
        record.bytes = "too long".to_owned();
        assert!(serde_json::to_string(&record).is_err());
        assert!(serde_json::from_str::<Strings>(&json.replace("\"ab\"", "\"a\"")).is_err());
    }
}

mod constraints {
    use super::*;

    #[test]
    fn errors_say_where_and_what() {
        use nested_arrays::com::golden::nested_arrays::NestedArrays;
        let json = |grid: &str| format!(r#"{{"$type":"com.golden.nestedArrays","grid":{grid}}}"#);
        survives::<NestedArrays>(&json("[[0,1],[2]]"));
        let refused = |grid: &str| refusal::<NestedArrays>(&json(grid));
        assert_eq!(
            refused("[[0],[1,-1]]"),
            "grid/1/1: is -1, and must be at least 0"
        );
        assert_eq!(
            refused("[[0],[]]"),
            "grid/1: has 0 items, and must have at least 1"
        );
        assert_eq!(
            refused("[[0],[1],[2],[3]]"),
            "grid: has 4 items, and may have at most 3"
        );
        assert!(refused("[[0],\"1\"]").starts_with("grid/1: expected an array"));
    }

    #[test]
    fn lengths_are_counted_in_bytes_and_in_graphemes() {
        use strings::com::golden::strings::Strings;
        let family = "👩‍👩‍👧‍👦";
        let strings = |bytes: &str, graphemes: &str| Strings::new(bytes, graphemes, "x").valid();
        assert!(strings("éé", &family.repeat(4)).is_ok());
        let long = strings("ééé", "ab").expect_err("6 bytes");
        assert_eq!(
            *long.problem(),
            Problem::TooLong {
                unit: Unit::Bytes,
                maximum: 4,
                actual: 6
            }
        );
        let long = strings("ab", &family.repeat(5)).expect_err("5 graphemes");
        assert_eq!(
            *long.problem(),
            Problem::TooLong {
                unit: Unit::Graphemes,
                maximum: 4,
                actual: 5
            }
        );
    }

    #[test]
    fn a_value_is_checked_when_it_is_made_and_when_it_is_written() {
        use integers::com::golden::integers::Integers;
        let mut integers = Integers::new(5, 4).valid().expect("within bounds");
        integers.bounded = 6;
        assert_eq!(
            integers.check().expect_err("above the maximum").path(),
            "bounded"
        );
        assert_eq!(
            integers.to_cbor().expect_err("above the maximum").path(),
            "bounded"
        );
        assert_eq!(
            integers.to_json().expect_err("above the maximum").path(),
            "bounded"
        );
        integers.bounded = 5;
        integers.chosen = 3;
        let error = integers.valid().expect_err("not in the enum");
        assert_eq!(error.to_string(), "chosen: must be one of 1, 2, 4, 8");
    }

    #[test]
    fn references_to_constrained_types_are_constrained() {
        use aliases::com::golden::aliases::Aliases;
        let aliases = |names: &[&str], size| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Aliases::new("name", names, size)
                .valid()
                .map_err(|error| error.to_string())
        };
        assert!(aliases(&["a"], 1).is_ok());
        assert_eq!(
            aliases(&[], 1),
            Err("names: has 0 items, and must have at least 1".to_owned())
        );
        let long = aliases(&["a", "longer"], 1);
        assert_eq!(
            long,
            Err("names/1: has 6 bytes, and may have at most 5".to_owned())
        );
        assert_eq!(
            aliases(&["a"], 0),
            Err("size: is 0, and must be at least 1".to_owned())
        );
    }

    #[test]
    fn nested_objects_are_checked_through_lists_and_unions() {
        use arrays::com::golden::arrays::{Arrays, ArraysChoicesItem, Thing};
        let mut arrays = Arrays::new(vec![1]);
        arrays.choices = Some(vec![
            Thing::new(1).into(),
            ArraysChoicesItem::from(Thing::new(0)),
        ]);
        let error = arrays.valid().expect_err("a size of 0");
        assert_eq!(
            error.to_string(),
            "choices/1/size: is 0, and must be at least 1"
        );
    }

    #[test]
    fn string_formats_are_types() {
        use formats::com::golden::formats::Formats;
        let json = r#"{"$type":"com.golden.formats","at-identifier":"ada.example.com",
            "at-uri":"at://did:plc:abc/com.example.thing/self","cid":"bafkreidfayvfuwqa7q",
            "datetime":"2026-01-01T10:00:00.123456789-10:00","did":"did:plc:abc","handle":"Ada.example.com",
            "language":"de-AT","nsid":"com.example.thing","record-key":"self","tid":"3kznmn7xqxl22",
            "uri":"https://example.com"}"#;
        let formats: Formats = survives(json);
        assert_eq!(
            formats.datetime.as_str(),
            "2026-01-01T10:00:00.123456789-10:00"
        );
        let wrong =
            refusal::<Formats>(&json.replace("did:plc:abc\",\"handle", "plc:abc\",\"handle"));
        assert!(wrong.starts_with("did: invalid DID: "), "{wrong}");
        let long = refusal::<Formats>(&json.replace(
            "com.golden.formats\"",
            "com.golden.formats\",\"list\":[\"did:plc:aaaaaaaaaaaaaaaaaaaa\"]",
        ));
        assert_eq!(long, "list/0: has 28 bytes, and may have at most 20");
    }
}

mod null_and_absence {
    use super::*;
    use nullable::com::golden::nullable::{Nullable, Thing};

    const LEAST: &str =
        r#"{"$type":"com.golden.nullable","a":1,"b":null,"text":null,"thing":null,"things":null}"#;

    #[test]
    fn all_four_kinds_of_fields_are_told_apart() {
        let least: Nullable = survives(LEAST);
        let (a, b, c, d): (i64, Option<i64>, Option<i64>, Option<Option<i64>>) =
            (least.a, least.b, least.c, least.d);
        assert_eq!((a, b, c, d), (1, None, None, None));
        let null: Nullable = survives(&LEAST.replace(r#""a":1"#, r#""a":1,"d":null"#));
        assert_eq!(null.d, Some(None));
        let full: Nullable = survives(&LEAST.replace(r#""a":1"#, r#""a":1,"c":2,"d":3"#));
        assert_eq!((full.c, full.d), (Some(2), Some(Some(3))));
    }

    #[test]
    fn null_is_refused_where_it_means_nothing() {
        let refused = |from: &str, to: &str| refusal::<Nullable>(&LEAST.replace(from, to));
        assert!(refused(r#""a":1"#, r#""a":null"#).starts_with("a: "));
        assert!(refused(r#""a":1"#, r#""a":1,"c":null"#).starts_with("c: "));
        assert_eq!(refused(r#""b":null,"#, ""), "b: required, but missing");
    }

    #[test]
    fn what_is_not_null_is_checked() {
        let mut value = Nullable::new(1, None, None, Some(Thing::new(0)), None);
        assert_eq!(value.check().expect_err("n is 0").path(), "thing/n");
        value.thing = None;
        value.optional_text = Some(Some("long".to_owned()));
        assert_eq!(value.check().expect_err("4 bytes").path(), "optionalText");
        value.optional_text = Some(None);
        assert_eq!(value.check(), Ok(()));
    }
}

mod values_given_by_the_lexicon {
    use super::*;

    #[test]
    fn constants_need_not_be_given() {
        use constants::com::golden::constants::{Constants, ConstantsDay, Fixed, OnlyFixed};
        let when = "1970-01-01T00:00:00Z".parse().expect("a datetime");
        let constants = Constants::new(when, ConstantsDay::Tu, None)
            .valid()
            .expect("all as the lexicon says");
        assert!(constants.yes);
        assert_eq!(
            (constants.answer, constants.word.as_str()),
            (42, "swordfish")
        );
        assert_eq!(Fixed::default().valid().expect("valid").word, "x");
        assert_eq!(OnlyFixed::default().n, 0);

        let error = Constants {
            answer: 41,
            ..constants.clone()
        }
        .valid()
        .expect_err("not the answer");
        assert_eq!(error.to_string(), "answer: must be one of 42");
        let error = Constants {
            day: ConstantsDay::Mo,
            ..constants
        }
        .valid()
        .expect_err("not that day");
        assert_eq!(error.to_string(), "day: must be one of tu");
    }

    #[test]
    fn defaults_are_read_and_never_written() {
        use defaults::com::golden::defaults::{
            Mode, Output, OutputDay, OutputMode, OutputUnlisted, Params,
        };
        let output = Output::new(1);
        assert!(output.flag_or_default());
        assert_eq!(output.count_or_default(), 10_000);
        assert_eq!(output.text_or_default(), "hello \"world\"");
        assert_eq!(output.lang_or_default(), "en-GB");
        assert_eq!(output.day_or_default(), OutputDay::Tu);
        assert_eq!(output.mode_or_default(), OutputMode::Auto);
        assert_eq!(
            output.unlisted_or_default(),
            OutputUnlisted::Other("approve".to_owned())
        );
        assert_eq!(output.shared_or_default(), Mode::B);
        assert_eq!(output.type_or_default(), -1);
        assert_eq!(output.to_json().as_deref(), Ok(&br#"{"required":1}"#[..]));

        let given = Output {
            count: Some(3),
            text: Some("t".to_owned()),
            ..output
        };
        assert_eq!(
            (given.count_or_default(), given.text_or_default()),
            (3, "t")
        );

        let params = Params::from_query("").expect("nothing is required");
        assert_eq!((params.count_or_default(), params.count), (10_000, None));
        assert_eq!(params.to_query().as_deref(), Ok(""));
    }
}

mod sets_of_strings {
    use super::*;
    use known_values::com::golden::known_values::{KnownValuesReason, Policy, SPAM};

    #[test]
    fn a_closed_set_refuses_other_values() {
        use huddle_codegen_golden::closed_enum::com::golden::closed_enum::{ClosedEnum, Day};
        let json = |day: &str| format!(r#"{{"$type":"com.golden.closedEnum","day":"{day}"}}"#);
        assert_eq!(survives::<ClosedEnum>(&json("TU")).day, Day::Tu);
        assert_eq!(
            refusal::<ClosedEnum>(&json("tu")),
            "day: must be one of MO, TU, WE"
        );
        assert_eq!(Day::VALUES, ["MO", "TU", "WE"]);
        assert_eq!("WE".parse(), Ok(Day::We));
        assert!("we".parse::<Day>().is_err());
    }

    #[test]
    fn an_open_set_keeps_other_values() {
        use known_values::com::golden::known_values::KnownValues;
        let json = r#"{"$type":"com.golden.knownValues","policy":"friends of friends"}"#;
        assert_eq!(
            survives::<KnownValues>(json).policy.as_str(),
            "friends of friends"
        );
        assert_eq!("mutual".parse(), Ok(Policy::Mutual));
        assert_eq!(Policy::Mutual.to_string(), "mutual");
        let long = Policy::Other("x".repeat(60)).to_string();
        let reason =
            format!(r#"{{"$type":"com.golden.knownValues","policy":"","reason":"{long}"}}"#);
        let refused = refusal::<KnownValues>(&reason);
        assert_eq!(refused, "reason: has 60 bytes, and may have at most 50");
    }

    #[test]
    fn tokens_are_constants_and_variants() {
        assert_eq!(SPAM, "com.golden.knownValues#spam");
        assert_eq!(SPAM.parse(), Ok(KnownValuesReason::Spam));
        assert_eq!("spam".parse(), Ok(KnownValuesReason::Spam2));
        let other = known_values::com::golden::tokens::TOKENS;
        assert_eq!(
            (other, other.parse()),
            ("com.golden.tokens", Ok(KnownValuesReason::ComGoldenTokens))
        );
        assert_eq!(
            main_types::com::golden::main_token::MAIN_TOKEN,
            "com.golden.mainToken"
        );
    }
}

mod members_of_unions {
    use super::*;
    use unions::com::golden::unions::{Left, Right, RightInner, Unions, UnionsOpen};

    fn json(open: &str) -> String {
        format!(r#"{{"$type":"com.golden.unions","open":{open}}}"#)
    }

    #[test]
    fn the_tag_decides() {
        let record: Unions = survives(&json(r#"{"$type":"com.golden.unions#left","n":1}"#));
        assert_eq!(record.open, UnionsOpen::from(Left::new(1)));
        let nested = r#"{"$type":"com.golden.unions#right","inner":{"$type":"com.golden.unions#left","n":2}}"#;
        let record: Unions = survives(&json(nested));
        let right = Right::new(RightInner::from(Left::new(2)));
        assert_eq!(record.open, UnionsOpen::Right(Box::new(right)));
    }

    #[test]
    fn an_open_union_keeps_what_it_does_not_name_byte_for_byte() {
        let unknown = r#"{"z":[1,{"y":null}],"$type":"org.example.later","link":{"$link":
            "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"}}"#;
        let record: Unions = survives(&json(unknown));
        let UnionsOpen::Unknown(unknown) = &record.open else {
            panic!("{record:?}")
        };
        assert_eq!(unknown.type_name(), "org.example.later");
        assert_eq!(unknown.fields().len(), 3);
    }

    #[test]
    fn a_closed_union_refuses_what_it_does_not_name() {
        let json = |closed: &str| {
            format!(
                r#"{{"$type":"com.golden.unions","open":{{"$type":"a.b.c"}},"closed":{closed}}}"#
            )
        };
        survives::<Unions>(&json("null"));
        survives::<Unions>(&json(r#"{"$type":"com.golden.unions#left","n":1}"#));
        assert_eq!(
            refusal::<Unions>(&json(r#"{"$type":"org.example.later"}"#)),
            "closed/$type: must be one of com.golden.unions#left, com.golden.unions#right"
        );
        assert_eq!(
            refusal::<Unions>(&json(
                r#"{"$type":"com.golden.unions#right","inner":{"$type":"com.golden.unions#left"}}"#
            )),
            "closed/inner/n: required, but missing"
        );
    }

    #[test]
    fn nothing_hides_a_member_from_its_constraints() {
        use huddle_codegen_golden::unions::com::golden::unions::UnionsNobodyChecks;
        use huddle_syntax::schema::Unknown;
        let unknown =
            |tag: &str| Unknown::new([("$type", Value::from(tag))].into()).expect("a tag");
        let mut record = Unions::new(UnionsOpen::Unknown(unknown("org.example.later")));
        assert_eq!(record.check(), Ok(()));
        record.nobody_checks = Some(UnionsNobodyChecks::Unknown(unknown(
            "com.golden.unions#plain",
        )));
        assert_eq!(
            record.check().expect_err("it is no unknown member").path(),
            "nobodyChecks"
        );
        assert!(record.to_cbor().is_err());
    }

    #[test]
    fn a_member_without_a_tag_is_refused() {
        assert_eq!(
            refusal::<Unions>(&json(r#"{"n":1}"#)),
            "open/$type: required, but missing"
        );
        assert!(refusal::<Unions>(&json("1")).starts_with("open: "));
    }

    #[test]
    fn a_main_that_is_spelled_out_is_understood_and_kept() {
        use huddle_codegen_golden::union_members::com::golden::union_members::{
            UnionMembers, UnionMembersAll,
        };
        let json = r#"{"all":{"$type":"com.golden.images#main","n":1}}"#;
        let members: UnionMembers = survives(json);
        let UnionMembersAll::Images(images) = &members.all else {
            panic!("{members:?}")
        };
        assert_eq!(images.n, Some(1));
        // A collection has one name only.
        let post = r#"{"all":{"$type":"com.golden.post#main","text":"x"}}"#;
        assert_eq!(
            refusal::<UnionMembers>(post),
            "all/$type: must be one of com.golden.post"
        );
    }

    #[test]
    fn a_record_in_a_union_keeps_its_tag_once() {
        use huddle_codegen_golden::union_members::com::golden::post::Post;
        use huddle_codegen_golden::union_members::com::golden::union_members::UnionMembers;
        let json = r#"{"all":{"$type":"com.golden.post","text":"x"}}"#;
        let members: UnionMembers = survives(json);
        assert_eq!(members, UnionMembers::new(Post::new("x").into()));
        assert_eq!(members.to_json().as_deref(), Ok(json.as_bytes()));
    }
}

mod objects {
    use super::*;

    #[test]
    fn a_tag_where_none_is_needed_is_kept_and_must_be_right() {
        use unknown_fields::com::golden::unknown_fields::{Thing, UnknownFields};
        let json = |tag: &str| {
            format!(
                r#"{{"$type":"com.golden.unknownFields","anything":{{}},"thing":{{"$type":"{tag}"}}}}"#
            )
        };
        let record: UnknownFields = survives(&json("com.golden.unknownFields#thing"));
        assert_eq!(record.thing.expect("there").extra.len(), 1);
        assert_eq!(
            refusal::<UnknownFields>(&json("com.golden.other")),
            format!("thing/$type: must be one of {}", Thing::TYPE)
        );
    }

    #[test]
    fn extra_fields_cannot_hide_those_of_the_schema() {
        use unknown_fields::com::golden::unknown_fields::UnknownFields;
        let mut record = UnknownFields::new(Map::new());
        record.extra.insert("thing", Value::Null);
        let error = record.to_cbor().expect_err("thing is a field");
        assert_eq!(
            error.to_string(),
            "thing: is a field of the schema, and no extra one"
        );
        record.extra = [("$type", Value::from("com.golden.other"))].into();
        assert_eq!(
            record.to_cbor().expect_err("the tag is ours").path(),
            "$type"
        );
    }

    #[test]
    fn names_that_rust_cannot_have_are_changed_and_stay_on_the_wire() {
        use odd_names::com::golden::odd_names::OddNames;
        let mut odd = OddNames::new(1);
        odd.with_space = Some(2);
        odd.a_b_2 = Some(4);
        assert_eq!(odd.valid().expect_err("at most 3").path(), "a/b");
        let record: OddNames =
            survives(r#"{"$type":"com.golden.oddNames","1st":1,"→":5,"new\nline":6}"#);
        assert_eq!((record.field_1st, record.new_line), (1, Some(6)));
    }

    #[test]
    fn recursion_is_as_deep_as_the_data_model_allows() {
        use recursion::com::golden::recursion::Tree;
        let nested = |depth: usize| {
            let open = r#"{"value":1,"null":null,"left":"#.repeat(depth);
            open + r#"{"value":1,"null":null}"# + &"}".repeat(depth)
        };
        survives::<Tree>(&nested(data::MAX_DEPTH - 1));
        assert!(Tree::from_json(nested(data::MAX_DEPTH).as_bytes()).is_err());
        assert!(Tree::from_json(nested(100_000).as_bytes()).is_err());
        let cbor = [&b"\xa3\x64left".repeat(100_000)[..], b"\xa0"].concat();
        assert!(Tree::from_cbor(&cbor).is_err());
    }

    #[test]
    #[expect(deprecated, reason = "it is what is tested")]
    fn what_is_deprecated_works_and_says_so() {
        use deprecated::com::golden::deprecated::Deprecated;
        assert_eq!(
            Deprecated::new(3)
                .valid()
                .expect("at most 3")
                .older_or_default(),
            1
        );
    }

    #[test]
    fn types_of_another_crate_are_the_same_types() {
        use external_types::com::shared::defs::Thing;
        use externals::com::golden::externals::Externals;
        let mut record = Externals::new(Thing::new(3));
        record.name = Some("long".to_owned());
        assert_eq!(record.check().expect_err("4 bytes").path(), "name");
        record.name = None;
        record.thing = Thing::new(4);
        assert_eq!(record.check().expect_err("at most 3").path(), "thing/n");
    }
}

mod methods {
    use super::*;
    use query::com::golden::query::{Error, Output, Params as QueryParams, ParamsDay, Query};

    #[test]
    fn a_method_is_a_type_with_all_that_belongs_to_it() {
        use procedure::com::golden::procedure::{Input, Output as Answer, Procedure};
        fn method<M: Call<Input = I, Output = O>, I, O>()
        -> (&'static str, &'static str, &'static str) {
            (M::NSID, M::INPUT, M::OUTPUT)
        }
        assert_eq!(
            method::<Query, (), Output>(),
            ("com.golden.query", "", "application/json")
        );
        let json = "application/json";
        assert_eq!(
            method::<Procedure, Input, Answer>(),
            ("com.golden.procedure", json, json)
        );
    }

    #[test]
    fn parameters_are_read_checked_and_written() {
        let query = "flag=true&text=a%20b&did=did:plc:abc&day=tu&mode=later&ids=at://did:plc:a&ids=at://did:plc:b&numbers=-1&other=x";
        let params = QueryParams::from_query(query).expect("valid");
        assert_eq!(
            (params.flag, params.text.as_str(), params.day),
            (true, "a b", Some(ParamsDay::Tu))
        );
        assert_eq!(
            (params.ids.len(), params.numbers.as_deref()),
            (2, Some(&[-1][..]))
        );
        assert_eq!(params.count_or_default(), 5);
        let again = params.to_query().expect("valid");
        assert_eq!(QueryParams::from_query(&again), Ok(params));

        let refused = |query: &str| match QueryParams::from_query(query) {
            Err(invalid) => invalid.to_string(),
            Ok(params) => panic!("{params:?}"),
        };
        let least = "flag=true&text=a&ids=at://did:plc:a";
        assert!(QueryParams::from_query(least).is_ok());
        assert_eq!(refused("flag=true&text=a"), "ids: required, but missing");
        assert_eq!(
            refused(&format!("{least}&flag=true")),
            "flag: may be there only once"
        );
        assert_eq!(
            refused(&format!("{least}&count=11")),
            "count: is 11, and may be at most 10"
        );
        assert_eq!(
            refused(&format!("{least}&count=1e1")),
            "count: must be an integer"
        );
        assert_eq!(
            refused(&format!("{least}&day=we")),
            "day: must be one of mo, tu"
        );
        assert_eq!(
            refused(&format!("{least}&numbers=1&numbers=10")),
            "numbers/1: is 10, and may be at most 9"
        );
        assert_eq!(
            refused(&format!("{least}&words=ab&words=abc")),
            "words/1: has 3 bytes, and may have at most 2"
        );
        assert!(refused(&format!("{least}&did=plc")).starts_with("did: invalid DID: "));
    }

    #[test]
    fn parameters_are_checked_when_they_are_made() {
        let id = "at://did:plc:a".parse().expect("a URI");
        let mut params = QueryParams::new(true, "text", vec![id])
            .valid()
            .expect("valid");
        params.text = "longer".to_owned();
        assert_eq!(params.to_query().expect_err("6 bytes").path(), "text");
        assert_eq!(params.valid().expect_err("6 bytes").path(), "text");
    }

    #[test]
    fn declared_errors_have_their_names() {
        assert_eq!(Error::NotFound.name(), "NotFound");
        assert_eq!(Error::from_name("gone"), Some(Error::Gone));
        assert_eq!(Error::from_name("Gone"), Some(Error::Gone2));
        assert_eq!(Error::from_name("Other"), None);
        assert_eq!(Error::Error2Many.to_string(), "2Many");
    }

    #[test]
    fn a_stream_carries_frames() {
        use subscription::com::golden::subscription::{Created, Message, Subscription as Stream};
        use subscription::com::golden::subscription_defs::Info;
        #[track_caller]
        fn check(message: impl Into<Message>, tag: &[u8]) {
            let frame = Frame::<<Stream as Subscription>::Message>::Message(message.into());
            let bytes = frame.encode().expect("valid");
            assert!(
                bytes.windows(tag.len()).any(|window| window == tag),
                "{}",
                bytes.escape_ascii()
            );
            assert_eq!(Frame::decode(&bytes), Ok(frame));
        }
        assert_eq!(Stream::NSID, "com.golden.subscription");
        check(Created::new(1, "x"), b"\x68#created");
        check(Info::new("x"), b"\x78\x20com.golden.subscriptionDefs#info");

        let invalid = Frame::Message(Message::from(Created::new(0, "x")));
        assert_eq!(invalid.encode().expect_err("at least 1").path(), "seq");
        let later = b"\xa2\x61t\x66#later\x62op\x01\xa0";
        let frame = Frame::<Message>::decode(later).expect("a frame");
        assert!(matches!(frame, Frame::Unknown(_)));
        assert_eq!(frame.encode().expect("valid"), later);
        let with_nsid = b"\xa2\x61t\x78\x1fcom.golden.subscription#created\x62op\x01\
                          \xa2\x63seq\x01\x64name\x61x";
        assert_eq!(
            Frame::decode(with_nsid),
            Ok(Frame::Message(Message::from(Created::new(1, "x"))))
        );
    }

    #[test]
    fn a_permission_set_is_a_constant_that_makes_scopes() {
        use permission_set::com::golden::auth_full::PERMISSION_SET;
        let did = "did:web:app.golden.com".parse().expect("a DID");
        assert_eq!(
            PERMISSION_SET.scope(Some((&did, "svc"))),
            "include:com.golden.authFull?aud=did:web:app.golden.com%23svc"
        );
        assert_eq!(PERMISSION_SET.title_lang, [("de", "Alles")]);
        assert_eq!(PERMISSION_SET.scopes(None).len(), 3);
        assert_eq!(PERMISSION_SET.scopes(Some((&did, "svc"))).len(), 5);
    }

    #[test]
    fn what_no_set_can_give_makes_no_scope() {
        use permission_set::com::golden::auth_ignored::PERMISSION_SET;
        let did = "did:web:app.golden.com".parse().expect("a DID");
        assert_eq!(
            PERMISSION_SET.scopes(Some((&did, "svc"))),
            ["rpc:com.golden.query?aud=*"]
        );
    }
}
