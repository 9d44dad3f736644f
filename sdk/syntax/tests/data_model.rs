//! The data model against the interoperability vectors, hand-made bytes and random values.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be unwrapped fails the test"
)]

use data_encoding::{BASE64_NOPAD, HEXLOWER};
use huddle_syntax::data::{
    self, Blob, Bytes, CidLink, DataError, DataProblem, MAX_DEPTH, Map, Value,
};
use huddle_testdata::shared_text;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::ops::Range;

const LINK: &str = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a";

/// An object that skips all its fields.
#[derive(Debug, Deserialize)]
struct Nothing {}

mod vectors {
    use super::*;

    fn vectors(file: &str) -> Option<Vec<serde_json::Value>> {
        let text = shared_text(&format!("conformance/interop/data-model/{file}"))?;
        let vectors: Vec<_> = serde_json::from_str(&text).unwrap();
        assert!(!vectors.is_empty());
        Some(vectors)
    }

    #[test]
    fn fixtures_have_the_same_bytes_and_cid_and_come_back() {
        let Some(fixtures) = vectors("data-model-fixtures.json") else {
            return;
        };
        for fixture in fixtures {
            let json = fixture["json"].to_string();
            let cbor = BASE64_NOPAD.decode(fixture["cbor_base64"].as_str().unwrap().as_bytes());
            let cbor = cbor.unwrap();

            let map: Map = data::from_json(json.as_bytes()).unwrap();
            assert_eq!(data::to_cbor(&map).unwrap(), cbor);
            assert_eq!(
                data::cid_for_cbor(&cbor).to_string(),
                fixture["cid"].as_str().unwrap()
            );

            assert_eq!(data::from_cbor::<Map>(&cbor).unwrap(), map);
            let back: serde_json::Value =
                serde_json::from_slice(&data::to_json(&map).unwrap()).unwrap();
            assert_eq!(back, fixture["json"]);
        }
    }

    #[test]
    fn valid_data_goes_through_both_formats() {
        let Some(vectors) = vectors("data-model-valid.json") else {
            return;
        };
        for vector in vectors {
            let json = vector["json"].to_string();
            let map: Map = data::from_json(json.as_bytes()).expect(&json);
            let cbor = data::to_cbor(&map).unwrap();
            assert_eq!(data::from_cbor::<Map>(&cbor).unwrap(), map, "{json}");
            let json = data::to_json(&map).unwrap();
            assert_eq!(data::from_json::<Map>(&json).unwrap(), map);
        }
    }

    #[test]
    fn invalid_data_is_refused() {
        let Some(vectors) = vectors("data-model-invalid.json") else {
            return;
        };
        for vector in vectors {
            let json = vector["json"].to_string();
            let result = data::from_json::<Map>(json.as_bytes());
            assert!(result.is_err(), "{}: {result:?}", vector["note"]);
        }
    }
}

mod cbor_input {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Skips {
        #[expect(dead_code, reason = "it is there to be skipped")]
        a: IgnoredAny,
    }

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.replace(' ', "").as_bytes()).unwrap()
    }

    #[track_caller]
    fn refused_as<T: DeserializeOwned + Debug>(cbor: &[u8], error: &DataError) {
        assert_eq!(data::from_cbor::<T>(cbor).err().as_ref(), Some(error));
    }

    /// As a whole, and as the field of an object that some types skip.
    #[track_caller]
    fn check(item: &str, problem: DataProblem, offset: usize) {
        let cbor = hex(item);
        let error = DataError::Cbor { problem, offset };
        refused_as::<Value>(&cbor, &error);
        refused_as::<IgnoredAny>(&cbor, &error);

        let cbor = [&hex("a1 61 61"), cbor.as_slice()].concat();
        let error = DataError::Cbor {
            problem,
            offset: offset + 3,
        };
        refused_as::<Map>(&cbor, &error);
        refused_as::<Skips>(&cbor, &error);
        refused_as::<Nothing>(&cbor, &error);
        refused_as::<HashMap<String, f64>>(&cbor, &error);
        refused_as::<BTreeMap<String, u64>>(&cbor, &error);
        refused_as::<HashMap<String, Option<()>>>(&cbor, &error);
    }

    #[test]
    fn anything_but_the_canonical_form_is_refused_by_every_type() {
        use DataProblem::*;

        // Integers: 0 in two bytes, 23 in two, 255 in three, 65,535 in five, 2³² - 1 in nine.
        check("1800", NotMinimal, 0);
        check("1817", NotMinimal, 0);
        check("1900ff", NotMinimal, 0);
        check("1a0000ffff", NotMinimal, 0);
        check("1b00000000ffffffff", NotMinimal, 0);
        check("3817", NotMinimal, 0);
        check("3900ff", NotMinimal, 0);
        check("3b00000000ffffffff", NotMinimal, 0);
        // 2⁶³, -2⁶³ - 1, and a big number.
        check("1b8000000000000000", IntegerRange, 0);
        check("3b8000000000000000", IntegerRange, 0);
        check("1bffffffffffffffff", IntegerRange, 0);
        check("c249010000000000000000", Tag, 0);

        // Lengths of strings, lists, maps.
        check("5800", NotMinimal, 0);
        check("780161", NotMinimal, 0);
        check("79000161", NotMinimal, 0);
        check("980100", NotMinimal, 0);
        check("b8016161f6", NotMinimal, 0);
        check("a1 780161 f6", NotMinimal, 1);

        // Open lengths, and a break that ends nothing.
        check("5f4101ff", Indefinite, 0);
        check("7f6161ff", Indefinite, 0);
        check("9f01ff", Indefinite, 0);
        check("bf616101ff", Indefinite, 0);
        check("82 01 9f ff", Indefinite, 2);
        check("ff", Unsupported, 0);
        check("1f", Unsupported, 0);
        check("df", Unsupported, 0);

        // Reserved heads.
        check("1c", Unsupported, 0);
        check("5d", Unsupported, 0);
        check("9e", Unsupported, 0);

        // Floats of every width, undefined, simple values, and false in two bytes.
        check("f93c00", Float, 0);
        check("fa3f800000", Float, 0);
        check("fb3ff0000000000000", Float, 0);
        check("fb7ff8000000000000", Float, 0);
        check("f7", Unsupported, 0);
        check("e0", Unsupported, 0);
        check("f814", Unsupported, 0);
        check("f8ff", Unsupported, 0);

        // Keys: not strings, out of order by length and by bytes, twice.
        check("a1 01 02", Key, 1);
        check("a1 4161 02", Key, 1);
        check("a1 f6 02", Key, 1);
        check("a2 626161 01 6162 02", KeyOrder, 5);
        check("a2 6162 01 6161 02", KeyOrder, 4);
        check("a2 6161 01 6161 02", DuplicateKey, 4);
        check("a1 6162 a2 6161 01 6161 02", DuplicateKey, 7);
        check("a2 60 01 60 02", DuplicateKey, 3);

        // Strings that are not UTF-8: a lone continuation, an overlong slash, a surrogate.
        check("6180", Utf8, 1);
        check("63 61 c0af", Utf8, 2);
        check("63eda080", Utf8, 1);
        check("a1 61ff 00", Utf8, 2);

        // What a map may not hold.
        check("a1 65246c696e6b 6161", ReservedKey, 1);
        check("a1 66246279746573 6161", ReservedKey, 1);
        check("a1 652474797065 f6", Type, 7);
        check("a1 652474797065 01", Type, 7);
        check("a1 652474797065 60", Type, 7);
        check("a1 652474797065 a0", Type, 7);
    }

    #[test]
    fn data_that_ends_too_early_or_too_late_is_refused_by_every_type() {
        #[track_caller]
        fn check(item: &str, problem: DataProblem, offset: usize) {
            let error = DataError::Cbor { problem, offset };
            refused_as::<Value>(&hex(item), &error);
            refused_as::<IgnoredAny>(&hex(item), &error);
            refused_as::<Nothing>(&hex(item), &error);
        }

        check("", DataProblem::Truncated, 0);
        check("18", DataProblem::Truncated, 1);
        check("1900", DataProblem::Truncated, 2);
        check("4201", DataProblem::Truncated, 2);
        check("6261", DataProblem::Truncated, 2);
        check("8201", DataProblem::Truncated, 2);
        check("a16161", DataProblem::Truncated, 3);
        check("d82a", DataProblem::Truncated, 2);
        check("0000", DataProblem::Trailing, 1);
        check("a0f6", DataProblem::Trailing, 1);
        check("a000", DataProblem::Trailing, 1);

        // Lengths that are claimed, up to all that 64 bits can say.
        for major in ["5", "7", "9", "b"] {
            check(
                &format!("{major}b7fffffffffffffff"),
                DataProblem::Truncated,
                9,
            );
            check(
                &format!("{major}bffffffffffffffff"),
                DataProblem::Truncated,
                9,
            );
            check(&format!("{major}affffffff"), DataProblem::Truncated, 5);
        }
    }

    #[test]
    fn a_link_is_a_whole_cid_of_version_1_under_tag_42() {
        const DIGEST: &str = "65062a5a5a00fc16d73c6944237ccbc15b1c4a72344893368d1d091741a239d0";

        #[track_caller]
        fn accept(cid: &str) {
            let cid = hex(&format!("00 {cid}"));
            let cbor = [
                &[0xd8, 0x2a, 0x58, u8::try_from(cid.len()).unwrap()],
                cid.as_slice(),
            ];
            let cbor = cbor.concat();
            let link: CidLink = data::from_cbor(&cbor).unwrap();
            assert_eq!(link.as_bytes(), &cid[1..]);
            assert_eq!(link.to_string().parse(), Ok(link.clone()));
            assert_eq!(
                data::from_cbor::<Value>(&cbor).unwrap(),
                Value::Link(link.clone())
            );
            assert_eq!(data::from_cbor::<cid::Cid>(&cbor).unwrap(), link.to_cid());
            assert_eq!(data::to_cbor(&link).unwrap(), cbor);
        }

        accept(&format!("01 71 12 20 {DIGEST}"));
        accept(&format!("01 55 12 20 {DIGEST}"));
        // BLAKE3; DAG-PB; SHA-512; a codec of three bytes.
        accept(&format!("01 55 1e 20 {DIGEST}"));
        accept(&format!("01 70 12 20 {DIGEST}"));
        accept(&format!("01 71 13 40 {DIGEST} {DIGEST}"));
        accept(&format!("01 808001 12 20 {DIGEST}"));

        check("c0 41 00", DataProblem::Tag, 0);
        check("d82b 41 00", DataProblem::Tag, 0);
        check("d9002a 41 00", DataProblem::NotMinimal, 0);
        check("d82a 00", DataProblem::Link, 0);
        check("d82a 6161", DataProblem::Link, 0);
        check("d82a 40", DataProblem::Link, 0);
        check("d82a 41 00", DataProblem::Link, 0);
        check("d82a 5800", DataProblem::NotMinimal, 2);
        let refuse = |length: u8, cid: &str| {
            check(&format!("d82a 58 {length:02x} {cid}"), DataProblem::Link, 0);
        };
        // Without the zero byte, or with another.
        refuse(36, &format!("01 71 12 20 {DIGEST}"));
        refuse(37, &format!("01 01 71 12 20 {DIGEST}"));
        // Version 0, version 2.
        refuse(35, &format!("00 12 20 {DIGEST}"));
        refuse(37, &format!("00 02 71 12 20 {DIGEST}"));
        // A byte too many, one too few, and a digest shorter than it says.
        refuse(38, &format!("00 01 71 12 20 {DIGEST} 00"));
        refuse(36, &format!("00 01 71 12 20 {}", &DIGEST[2..]));
        refuse(37, &format!("00 01 71 12 21 {DIGEST}"));
        // A codec not in its shortest form.
        refuse(38, &format!("00 01 f100 12 20 {DIGEST}"));
    }

    #[test]
    fn canonical_data_is_accepted_and_written_back() {
        #[track_caller]
        fn check(cbor: &str, value: impl Into<Value>) {
            let (cbor, value) = (hex(cbor), value.into());
            assert_eq!(data::from_cbor::<Value>(&cbor).unwrap(), value);
            assert_eq!(data::to_cbor(&value).unwrap(), cbor);
            assert!(data::from_cbor::<IgnoredAny>(&cbor).is_ok());
            assert_eq!(
                data::item_len(&[cbor.as_slice(), &[0xff]].concat()),
                Ok(cbor.len())
            );
        }

        check("f6", Value::Null);
        check("f4", false);
        check("f5", true);
        check("00", 0);
        check("17", 23);
        check("1818", 24);
        check("18ff", 255);
        check("190100", 256);
        check("19ffff", 65_535);
        check("1a00010000", 65_536);
        check("1affffffff", 4_294_967_295);
        check("1b0000000100000000", 4_294_967_296);
        check("1b7fffffffffffffff", i64::MAX);
        check("20", -1);
        check("37", -24);
        check("3818", -25);
        check("38ff", -256);
        check("390100", -257);
        check("3b7fffffffffffffff", i64::MIN);
        check("40", Bytes::from([]));
        check("4100", Bytes::from([0]));
        check("60", "");
        check("62c3bc", "ü");
        check("80", Vec::new());
        check("8180", vec![Value::List(Vec::new())]);
        check("a0", Map::new());
        check(
            "a3 60 f6 6162 f5 626161 a0",
            Map::from([
                ("aa", Map::new().into()),
                ("b", true.into()),
                ("", Value::Null),
            ]),
        );
        check("a1 652474797065 6161", Map::from([("$type", "a".into())]));
        // A key that only looks like a reserved one, and unknown keys of the protocol.
        check("a1 65246c696e4b 00", Map::from([("$linK", 0.into())]));
        check("a1 6124 00", Map::from([("$", 0.into())]));
        for length in [23, 24, 255, 256, 65_535, 65_536] {
            let text = "x".repeat(length);
            let cbor = data::to_cbor(&text).unwrap();
            assert_eq!(data::from_cbor::<String>(&cbor).unwrap(), text);
            let list = vec![Value::Null; length];
            let cbor = data::to_cbor(&list).unwrap();
            assert_eq!(data::from_cbor::<Vec<Value>>(&cbor).unwrap(), list);
        }
    }

    #[test]
    fn the_decoder_alone_would_let_these_through() {
        /// Why there is a scan: each line is accepted by the type without it.
        #[track_caller]
        fn check<T: DeserializeOwned + Debug>(cbor: &str) {
            assert!(serde_ipld_dagcbor::from_slice::<T>(&hex(cbor)).is_ok());
            let refusal = data::from_cbor::<T>(&hex(cbor));
            assert!(
                matches!(refusal, Err(DataError::Cbor { .. })),
                "{refusal:?}"
            );
        }

        check::<f64>("fb3ff0000000000000");
        check::<u64>("1bffffffffffffffff");
        check::<IgnoredAny>("1800");
        check::<IgnoredAny>("9f01ff");
        check::<IgnoredAny>("a2 6161 01 6161 02");
        check::<IgnoredAny>("a1 f7 f7");
        check::<Nothing>("a1 6161 61ff");
        check::<Nothing>("a1 6161 d82b 00");
        check::<cid::Cid>(
            "d82a 5826 00 01711220
             65062a5a5a00fc16d73c6944237ccbc15b1c4a72344893368d1d091741a239d0 00"
                .replace('\n', "")
                .as_str(),
        );
    }

    #[test]
    fn an_error_names_the_problem_and_the_byte() {
        #[track_caller]
        fn check<T: DeserializeOwned + Debug>(cbor: &str, text: &str) {
            let error = data::from_cbor::<T>(&hex(cbor)).unwrap_err();
            assert_eq!(error.to_string(), text);
        }

        check::<Value>("82 01 f93c00", "the data model has no floats, at byte 2");
        check::<String>("01", "expected str, found integer");
        check::<i64>("6161", "expected i64, found string");
        check::<Vec<i64>>("a0", "expected array, found map");
        check::<Map>("80", "expected an object");
        check::<CidLink>("f6", "expected link, found null");
        check::<Bytes>("6161", "expected bytes, found string");
        check::<u8>("190100", "expected u8, found integer");
        check::<(u8, u8)>("83 01 02 03", "expected tuple of 2 items, found 3");
        check::<Skips>("a0", "missing field `a`");
    }
}

mod json_input {
    use super::*;

    const RANGE: &str = "an integer must fit into 64 signed bits, at line 1 column";
    const BASE64: &str = "$bytes must be base64, at line 1 column";
    const ALONE: &str =
        "$link and $bytes must be alone in an object, and only in JSON, at line 1 column";
    const TYPE: &str = "$type must be a string, and not empty, at line 1 column";
    const TWICE: &str = "a map key is there twice, at line 1 column";

    #[track_caller]
    fn accept(json: &str, value: impl Into<Value>) {
        assert_eq!(data::from_json::<Value>(json.as_bytes()), Ok(value.into()));
    }

    #[track_caller]
    fn refuse(json: &str, error: &str) {
        let refusal = data::from_json::<Value>(json.as_bytes()).unwrap_err();
        assert_eq!(refusal.to_string(), error);
        // Wherever it stands, and whoever asks.
        let json = format!(r#"{{"a": [{json}]}}"#);
        assert!(data::from_json::<Map>(json.as_bytes()).is_err());
        assert!(data::from_json::<IgnoredAny>(json.as_bytes()).is_err());
        assert!(data::from_json::<Nothing>(json.as_bytes()).is_err());
    }

    #[test]
    fn a_number_is_an_integer_however_it_is_written() {
        accept("123", 123);
        accept("123.0", 123);
        accept("-7.000", -7);
        accept("1.5e1", 15);
        accept("1E3", 1000);
        accept("-0", 0);
        accept("-0.0", 0);
        accept("9223372036854775807", i64::MAX);
        accept("-9223372036854775808", i64::MIN);
        accept("9007199254740991.0", (1 << 53) - 1);

        refuse("1.5", "the data model has no floats, at line 1 column 3");
        refuse("1e-1", "the data model has no floats, at line 1 column 4");
        // A float has no room for these, and would stand for its neighbours too.
        refuse("9007199254740992.0", &format!("{RANGE} 18"));
        refuse("9223372036854775808", &format!("{RANGE} 19"));
        refuse("18446744073709551615", &format!("{RANGE} 20"));
        refuse("-9223372036854775809", &format!("{RANGE} 20"));
        refuse("1e300", &format!("{RANGE} 5"));
        refuse("1e999", "number out of range, at line 1 column 5");
    }

    #[test]
    fn links_and_bytes_are_objects_with_one_field() {
        accept(
            &format!(r#"{{"$link": "{LINK}"}}"#),
            LINK.parse::<CidLink>().unwrap(),
        );
        accept(r#"{"$bytes": ""}"#, Bytes::from([]));
        accept(r#"{"$bytes": "AQ"}"#, Bytes::from([1]));
        accept(r#"{"$bytes": "AQ=="}"#, Bytes::from([1]));
        accept(r#"{"$bytes": "AQI"}"#, Bytes::from([1, 2]));
        accept(r#"{"$bytes": "AQI="}"#, Bytes::from([1, 2]));
        accept(r#"{"$bytes": "+/+/"}"#, Bytes::from([0xfb, 0xff, 0xbf]));
        accept(r#"{"\u0024bytes": "AQI"}"#, Bytes::from([1, 2]));
        // Bits that the last character has to spare: the official records have some.
        accept(r#"{"$bytes": "AR"}"#, Bytes::from([1]));

        refuse(r#"{"$bytes": "AQ="}"#, &format!("{BASE64} 17"));
        refuse(r#"{"$bytes": "A"}"#, &format!("{BASE64} 15"));
        refuse(r#"{"$bytes": "A==="}"#, &format!("{BASE64} 18"));
        refuse(r#"{"$bytes": "AQI=AQI="}"#, &format!("{BASE64} 22"));
        refuse(r#"{"$bytes": "-_-_"}"#, &format!("{BASE64} 18"));
        refuse(r#"{"$bytes": "AQ I"}"#, &format!("{BASE64} 18"));
        refuse(
            r#"{"$bytes": [1]}"#,
            "invalid type: sequence, expected a string, at line 1 column 11",
        );

        refuse(
            &format!(r#"{{"$link": "{LINK}", "a": 1}}"#),
            &format!("{ALONE} 76"),
        );
        refuse(
            &format!(r#"{{"a": 1, "$link": "{LINK}"}}"#),
            &format!("{ALONE} 16"),
        );
        refuse(
            r#"{"$bytes": "AQ", "$bytes": "AQ"}"#,
            &format!("{ALONE} 25"),
        );
        refuse(r#"{"$type": "a", "$bytes": "AQ"}"#, &format!("{ALONE} 23"));
    }

    #[test]
    fn a_link_is_a_version_1_cid_in_lower_case_base32() {
        #[track_caller]
        fn check(text: &str) {
            assert!(text.parse::<CidLink>().is_err());
            refuse(
                &format!(r#"{{"$link":"{text}"}}"#),
                &format!(
                    "a link must be a CIDv1, in text in lower-case base32, at line 1 column {}",
                    text.len() + 12
                ),
            );
        }

        check("");
        check("b");
        check(".");
        check("ipfs/bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a");
        check("/ipfs/bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a");
        check("BAFYREIDFAYVFUWQA7QLNOPDJIQRXZS6BLMOEU4RUJCJTNCI5BELUDIRZ2A");
        check("bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2");
        check("bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2aa");
        check("bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2b");
        check("bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2aaaaaaaaa");
        check("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR");
        check("zdpuAyvkgEDQm9TenwGkd5eNaosSxjgEYd8QatfPetgB1CdEZ");
        check("f0171122065062a5a5a00fc16d73c6944237ccbc15b1c4a72344893368d1d091741a239d0");
    }

    #[test]
    fn a_type_is_a_string_and_not_empty() {
        accept(r#"{"$type": "a"}"#, Map::from([("$type", "a".into())]));
        refuse(r#"{"$type": ""}"#, &format!("{TYPE} 13"));
        refuse(r#"{"$type": null}"#, &format!("{TYPE} 15"));
        refuse(r#"{"$type": 123}"#, &format!("{TYPE} 14"));
        refuse(r#"{"$type": {}}"#, &format!("{TYPE} 13"));
    }

    #[test]
    fn no_key_is_there_twice_and_nothing_follows() {
        accept(
            r#"{"b": 1, "a": 2}"#,
            Map::from([("a", 2.into()), ("b", 1.into())]),
        );
        refuse(r#"{"a": 1, "a": 1}"#, &format!("{TWICE} 16"));
        refuse(r#"{"a": 1, "b": 2, "\u0061": 3}"#, &format!("{TWICE} 29"));
        refuse(r#"{"aa": 1, "b": 2, "aa": 1}"#, &format!("{TWICE} 26"));
        refuse("{} {}", "trailing characters, at line 1 column 4");
        refuse("[", "EOF while parsing a list, at line 1 column 1");
        refuse("{\n \"a\" 1}", "expected `:`, at line 2 column 6");
        refuse("NaN", "expected value, at line 1 column 1");
    }

    #[test]
    fn what_is_not_unicode_is_refused() {
        assert!(data::from_json::<Value>(b"\"\xff\"").is_err());
        refuse(
            r#""\ud800""#,
            "unexpected end of hex escape, at line 1 column 8",
        );
        accept(r#""\ud83d\ude00""#, "😀");
        accept(r#""\u0000""#, "\0");
    }

    #[test]
    fn a_mismatch_says_what_was_expected_without_repeating_the_input() {
        #[track_caller]
        fn check<T: DeserializeOwned + Debug>(json: &str, error: &str) {
            let refusal = data::from_json::<T>(json.as_bytes()).unwrap_err();
            assert_eq!(refusal, DataError::Mismatch(error.to_owned()));
        }

        check::<i64>(
            &format!("{:?}", "x".repeat(1000)),
            "expected i64, found string",
        );
        check::<String>("1", "expected a string, found integer");
        check::<u8>("256", "expected u8, found another integer");
        check::<bool>("null", "expected a boolean, found null");
        check::<Vec<i64>>("{}", "expected a sequence, found map");
        check::<Map>("[]", "expected an object");
        check::<Map>(r#"{"$bytes": "AQ"}"#, "expected an object");
        check::<Bytes>("[1]", "expected bytes, found list");
        check::<CidLink>(&format!("{LINK:?}"), "expected a link, found string");
        check::<f64>("1", "expected f64, found integer");
    }

    #[test]
    fn an_error_is_short_however_long_the_input() {
        #[derive(Debug, Deserialize)]
        enum Choice {}

        let long = "ü".repeat(1_000_000);
        let json = format!("{long:?}");
        let error = data::from_json::<Choice>(json.as_bytes()).unwrap_err();
        assert!(error.to_string().len() < 3000);
        let cbor = data::to_cbor(&long).unwrap();
        let error = data::from_cbor::<Choice>(&cbor).unwrap_err();
        assert!(error.to_string().len() < 3000);
    }
}

mod blobs {
    use super::*;

    fn json(change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) -> String {
        let mut blob = serde_json::json!({
            "$type": "blob", "ref": {"$link": LINK}, "mimeType": "image/png", "size": 7,
        });
        change(blob.as_object_mut().unwrap());
        blob.to_string()
    }

    #[test]
    fn a_blob_reads_and_writes_the_same_in_both_formats() {
        let json = json(|_| {});
        let blob: Blob = data::from_json(json.as_bytes()).unwrap();
        let image = "image/png".to_owned();
        assert_eq!(
            blob,
            Blob {
                cid: LINK.parse().unwrap(),
                mime_type: image,
                size: 7
            }
        );

        let value: Value = data::from_json(json.as_bytes()).unwrap();
        assert_eq!(data::to_value(&blob), Ok(value.clone()));
        assert_eq!(data::from_value::<Blob>(value.clone()), Ok(blob.clone()));
        assert_eq!(
            data::from_json::<Blob>(&data::to_json(&blob).unwrap()),
            Ok(blob.clone())
        );
        let cbor = data::to_cbor(&blob).unwrap();
        assert_eq!(data::to_cbor(&value).unwrap(), cbor);
        assert_eq!(data::from_cbor::<Blob>(&cbor), Ok(blob.clone()));
        let text = serde_json::to_string(&blob).unwrap();
        assert_eq!(serde_json::from_str::<Blob>(&text).unwrap(), blob);
    }

    #[test]
    fn a_blob_has_four_fields_and_no_others() {
        #[track_caller]
        fn check(
            change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
            error: &str,
        ) {
            let json = json(change);
            let refusal = data::from_json::<Blob>(json.as_bytes()).unwrap_err();
            assert!(refusal.to_string().starts_with(error), "{refusal}");
            // A map that calls itself a blob has to be one.
            let is_blob = json.contains(r#""$type":"blob""#);
            assert_eq!(data::from_json::<Value>(json.as_bytes()).is_err(), is_blob);
            if is_blob {
                check_untyped(&json);
            }
        }

        /// Nothing reads such a map, and nothing writes it, whatever type it is of.
        #[track_caller]
        fn check_untyped(json: &str) {
            let map: Map = data::from_json(json.replace("$type", "$kind").as_bytes()).unwrap();
            let cbor = data::to_cbor(&map).unwrap();
            let cbor = replaced(&cbor, b"$kind", b"$type");
            let offset = 0;
            let problem = DataProblem::Blob;
            let refusal = Err(DataError::Cbor { problem, offset });
            assert_eq!(data::from_cbor::<Value>(&cbor).map(drop), refusal);
            let typed = data::from_cbor::<Nothing>(&cbor);
            assert_eq!(typed.map(drop), refusal);

            let map: BTreeMap<&str, &Value> = map
                .iter()
                .map(|(key, value)| (if key == "$kind" { "$type" } else { key }, value))
                .collect();
            let refusal = Err(DataError::Unencodable(problem));
            assert_eq!(data::to_cbor(&map), refusal);
            assert_eq!(data::to_json(&map), refusal);
            let map: Map = map.into_iter().map(|(k, v)| (k, v.clone())).collect();
            assert_eq!(data::to_cbor(&map), refusal);
            assert_eq!(data::to_cbor(&[[&map]]), refusal);
            assert!(serde_json::to_string(&map).is_err());
        }

        fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
            let at = bytes.windows(from.len()).position(|window| window == from);
            let (before, rest) = bytes.split_at(at.unwrap());
            [before, to, &rest[from.len()..]].concat()
        }

        const LINK_WANTED: &str = "a blob must have a ref, which is a link";
        const TYPE_WANTED: &str =
            "a blob must have a mimeType, which is a string that is not empty";
        const SIZE_WANTED: &str = "a blob must have a size, which is a positive integer";
        check(|blob| blob["ref"] = LINK.into(), LINK_WANTED);
        check(|blob| drop(blob.remove("ref")), LINK_WANTED);
        check(|blob| blob["mimeType"] = "".into(), TYPE_WANTED);
        check(|blob| drop(blob.remove("mimeType")), TYPE_WANTED);
        check(|blob| blob["size"] = "7".into(), SIZE_WANTED);
        check(|blob| blob["size"] = 0.into(), SIZE_WANTED);
        check(|blob| blob["size"] = (-1).into(), SIZE_WANTED);
        check(|blob| drop(blob.remove("size")), SIZE_WANTED);
        check(
            |blob| drop(blob.insert("alt".to_owned(), "a cat".into())),
            "a blob must have no fields but $type, ref, mimeType and size",
        );
        check(
            |blob| blob["$type"] = "image".into(),
            "the $type of a blob must be blob",
        );
        check(
            |blob| drop(blob.remove("$type")),
            "the $type of a blob must be blob",
        );
    }

    #[test]
    fn a_blob_of_the_older_form_is_refused_but_stays_a_map() {
        let json = format!(r#"{{"cid": "{LINK}", "mimeType": "image/png"}}"#);
        let refusal = data::from_json::<Blob>(json.as_bytes()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "a blob must have $type and ref; the older form with cid is not supported"
        );
        assert!(data::from_json::<Map>(json.as_bytes()).is_ok());
    }
}

mod encoding {
    use super::*;

    #[track_caller]
    fn refuse<T: Serialize + ?Sized>(value: &T, problem: DataProblem) {
        let error = Err(DataError::Unencodable(problem));
        assert_eq!(data::to_cbor(value), error);
        assert_eq!(data::to_json(value), error);
        // Deep inside, where the decoder's own encoder would lose the reason.
        let deep = [HashMap::from([("a", HashMap::from([("b", value)]))])];
        assert_eq!(data::to_cbor(&deep), error);
        assert_eq!(data::to_json(&deep), error);
    }

    /// Serialises as a map of these entries, in this order.
    struct Entries<K, V>(Vec<(K, V)>);

    impl<K: Serialize, V: Serialize> Serialize for Entries<K, V> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            for (key, value) in &self.0 {
                map.serialize_entry(key, value)?;
            }
            map.end()
        }
    }

    /// Serialises as a list that claims a length of its own.
    struct Claims(Option<usize>, Vec<u8>);

    impl Serialize for Claims {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(self.0)?;
            for item in &self.1 {
                list.serialize_element(item)?;
            }
            list.end()
        }
    }

    #[test]
    fn what_the_data_model_does_not_have_is_refused() {
        use DataProblem::*;

        refuse(&1.0, Float);
        refuse(&0.5_f32, Float);
        refuse(&u64::MAX, IntegerRange);
        refuse(&(i64::MAX as u64 + 1), IntegerRange);
        refuse(&(i128::from(i64::MIN) - 1), IntegerRange);
        refuse(&u128::MAX, IntegerRange);
        refuse(&Entries(vec![(1, 2)]), Key);
        refuse(&Entries(vec![(Bytes::from([1]), 2)]), Key);
        refuse(&Entries(vec![(LINK.parse::<CidLink>().unwrap(), 2)]), Key);
        refuse(&Entries(vec![(Map::new(), 2)]), Key);
        refuse(&Entries(vec![("a", 1), ("a", 1)]), DuplicateKey);
        refuse(&Entries(vec![("bb", 1), ("a", 1), ("bb", 1)]), DuplicateKey);
        refuse(&Entries(vec![("$link", LINK)]), ReservedKey);
        refuse(&Entries(vec![("$bytes", "")]), ReservedKey);
        refuse(&Entries(vec![("$type", "")]), Type);
        refuse(&Entries(vec![("$type", 1)]), Type);
        refuse(&Entries(vec![("$type", Value::Null)]), Type);
        refuse(&Entries(vec![("$type", Bytes::from([1]))]), Type);
        refuse(
            &cid::Cid::try_from("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR").unwrap(),
            Link,
        );
    }

    #[test]
    fn a_map_that_json_would_read_as_something_else_is_not_written() {
        for key in ["$link", "$bytes"] {
            let map = Map::from([(key, "AQ".into()), ("a", 1.into())]);
            refuse(&map, DataProblem::ReservedKey);
            assert!(serde_json::to_string(&map).is_err());
        }
    }

    #[test]
    fn keys_and_values_take_turns() {
        struct Misfit(&'static [bool]);

        impl Serialize for Misfit {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                for is_key in self.0 {
                    if *is_key {
                        map.serialize_key("a")?;
                    } else {
                        map.serialize_value(&1)?;
                    }
                }
                map.end()
            }
        }

        assert!(data::to_cbor(&Misfit(&[true, false])).is_ok());
        for misfit in [&[false][..], &[true], &[true, true], &[true, false, false]] {
            // Beside an entry that a stray value could be taken for a part of.
            let map = Entries(vec![("b", Misfit(&[true, false])), ("c", Misfit(misfit))]);
            let error = "keys and values of a map must take turns".to_owned();
            assert_eq!(data::to_cbor(&map), Err(DataError::Refused(error.clone())));
            assert_eq!(data::to_json(&map), Err(DataError::Refused(error)));
        }
    }

    #[test]
    fn a_type_that_refuses_is_heard() {
        struct Refuses;

        impl Serialize for Refuses {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }

        let error = Err(DataError::Refused("not today".to_owned()));
        assert_eq!(data::to_cbor(&[Entries(vec![("a", Refuses)])]), error);
        assert_eq!(data::to_json(&[Entries(vec![("a", Refuses)])]), error);
    }

    #[test]
    fn fields_are_sorted_in_cbor_and_left_in_order_in_json() {
        #[derive(Serialize)]
        struct Unordered {
            zz: i64,
            b: Option<bool>,
            aaa: Inner,
            a: (),
        }
        #[derive(Serialize)]
        struct Inner {
            d: u8,
            c: i8,
        }
        let value = Unordered {
            zz: 1,
            b: None,
            aaa: Inner { d: 1, c: -1 },
            a: (),
        };
        assert_eq!(
            data::to_cbor(&value).unwrap(),
            b"\xa4\x61a\xf6\x61b\xf6\x62zz\x01\x63aaa\xa2\x61c\x20\x61d\x01"
        );
        assert_eq!(
            data::to_json_string(&value).unwrap(),
            r#"{"zz":1,"b":null,"aaa":{"d":1,"c":-1},"a":null}"#
        );
    }

    #[test]
    fn lengths_are_counted_whatever_is_claimed() {
        for claim in [None, Some(0), Some(3), Some(23), Some(24), Some(usize::MAX)] {
            for length in [0, 1, 3, 23, 24, 300] {
                let list = Claims(claim, vec![0; length]);
                let cbor = data::to_cbor(&list).unwrap();
                assert_eq!(cbor, data::to_cbor(&vec![0; length]).unwrap());
                // Where the head grows or shrinks, what stands around it must not suffer.
                let map = Entries(vec![
                    ("b", Value::Null),
                    ("a", data::to_value(&list).unwrap()),
                ]);
                let cbor = data::to_cbor(&map).unwrap();
                assert_eq!(data::from_cbor::<Map>(&cbor).unwrap()["b"], Value::Null);
            }
        }
    }

    #[test]
    fn every_kind_of_rust_value_has_its_place() {
        #[derive(Debug, PartialEq, Deserialize, Serialize)]
        enum Choice {
            Unit,
            Newtype(i64),
            Tuple(i64, String),
            Struct { b: char, a: Option<u8> },
        }
        #[derive(Debug, PartialEq, Deserialize, Serialize)]
        struct Unit;
        #[derive(Debug, PartialEq, Deserialize, Serialize)]
        struct Newtype(Bytes);
        #[derive(Debug, PartialEq, Deserialize, Serialize)]
        struct Tuple(i16, CidLink);

        #[track_caller]
        fn check<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T, json: &str) {
            assert_eq!(data::to_json_string(value).unwrap(), json);
            assert_eq!(&data::from_json::<T>(json.as_bytes()).unwrap(), value);
            let cbor = data::to_cbor(value).unwrap();
            assert_eq!(&data::from_cbor::<T>(&cbor).unwrap(), value);
            assert_eq!(serde_ipld_dagcbor::to_vec(value).unwrap(), cbor);
            let neutral = data::to_value(value).unwrap();
            assert_eq!(&T::deserialize(&neutral).unwrap(), value);
            assert_eq!(&data::from_value::<T>(neutral).unwrap(), value);
        }

        check(&Choice::Unit, r#""Unit""#);
        check(&Choice::Newtype(1), r#"{"Newtype":1}"#);
        check(&Choice::Tuple(1, "a".to_owned()), r#"{"Tuple":[1,"a"]}"#);
        check(
            &Choice::Struct {
                b: 'ß', a: Some(1)
            },
            r#"{"Struct":{"b":"ß","a":1}}"#,
        );
        check(
            &Choice::Struct { b: '"', a: None },
            r#"{"Struct":{"b":"\"","a":null}}"#,
        );
        check(&Unit, "null");
        check(&Newtype(Bytes::from([1, 2])), r#"{"$bytes":"AQI"}"#);
        check(
            &Tuple(-1, LINK.parse().unwrap()),
            &format!(r#"[-1,{{"$link":"{LINK}"}}]"#),
        );
        check(
            &LINK.parse::<cid::Cid>().unwrap(),
            &format!(r#"{{"$link":"{LINK}"}}"#),
        );
        check(&(true, 'a', 1_u8, -1_i32, ()), r#"[true,"a",1,-1,null]"#);
        check(
            &BTreeMap::from([("b".to_owned(), vec![1]), ("a".to_owned(), vec![])]),
            r#"{"a":[],"b":[1]}"#,
        );
        check(&Some("\u{7f}\n\\é😀".to_owned()), "\"\u{7f}\\n\\\\é😀\"");
    }
}

mod typed {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    #[serde(tag = "kind", rename_all = "camelCase")]
    enum Tagged {
        Photo {
            thumb: Bytes,
            full: CidLink,
            at: Vec<Blob>,
        },
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Flattened {
        name: String,
        #[serde(flatten)]
        rest: Rest,
        #[serde(flatten)]
        extra: BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Rest {
        bytes: Bytes,
        link: CidLink,
        cid: cid::Cid,
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    #[serde(untagged)]
    enum Untagged {
        Link(CidLink),
        Bytes(Bytes),
        Text(String),
        Any(Value),
    }

    /// Serde buffers these types' input, and calls every buffer human-readable.
    #[track_caller]
    fn check<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T) {
        let cbor = data::to_cbor(value).unwrap();
        assert_eq!(&data::from_cbor::<T>(&cbor).unwrap(), value);
        let json = data::to_json(value).unwrap();
        assert_eq!(&data::from_json::<T>(&json).unwrap(), value);
        assert_eq!(
            &data::from_value::<T>(data::to_value(value).unwrap()).unwrap(),
            value
        );
    }

    #[test]
    fn tagged_flattened_and_untagged_types_hold_links_and_bytes() {
        let link: CidLink = LINK.parse().unwrap();
        let blob = Blob {
            cid: link.clone(),
            mime_type: "image/png".to_owned(),
            size: 1,
        };
        check(&Tagged::Photo {
            thumb: [1].into(),
            full: link.clone(),
            at: vec![blob],
        });
        check(&Flattened {
            name: "a".to_owned(),
            rest: Rest {
                bytes: [2].into(),
                link: link.clone(),
                cid: link.to_cid(),
            },
            extra: BTreeMap::from([
                ("x".to_owned(), Value::Link(link.clone())),
                (
                    "y".to_owned(),
                    Value::List(vec![Bytes::from([3]).into(), Value::Null]),
                ),
            ]),
        });
        check(&vec![
            Untagged::Link(link),
            Untagged::Bytes([4].into()),
            Untagged::Text("text".to_owned()),
            Untagged::Any(Map::from([("a", 1.into())]).into()),
        ]);
    }

    #[test]
    fn a_value_lends_its_strings_and_bytes() {
        #[derive(Deserialize)]
        struct Borrows<'a> {
            text: &'a str,
            #[serde(borrow)]
            list: Vec<&'a str>,
            bytes: &'a [u8],
        }
        let value = Value::from(Map::from([
            ("text", "a".into()),
            ("list", vec!["b".into()].into()),
            ("bytes", Bytes::from([1]).into()),
        ]));
        let borrows = Borrows::deserialize(&value).unwrap();
        assert_eq!(
            (borrows.text, borrows.list, borrows.bytes),
            ("a", vec!["b"], &[1][..])
        );
    }

    #[test]
    fn a_type_takes_only_its_own_kind_of_value() {
        #[track_caller]
        fn check<T: DeserializeOwned + Debug>(value: impl Into<Value>) {
            let value = value.into();
            assert!(T::deserialize(&value).is_err());
            // As the DAG-CBOR decoder has it.
            assert!(data::from_cbor::<T>(&data::to_cbor(&value).unwrap()).is_err());
        }

        #[derive(Debug, Deserialize)]
        struct Pair {
            #[expect(dead_code, reason = "only to be refused")]
            a: i64,
        }
        check::<String>(Bytes::from(*b"text"));
        check::<Bytes>("text");
        check::<Bytes>(LINK.parse::<CidLink>().unwrap());
        check::<CidLink>(Bytes::from(LINK.parse::<CidLink>().unwrap().as_bytes()));
        check::<CidLink>(LINK);
        check::<cid::Cid>(LINK);
        check::<Pair>(vec![1.into()]);
        check::<Map>(LINK.parse::<CidLink>().unwrap());
        check::<(i64, i64)>(vec![1.into()]);
        check::<(i64, i64)>(vec![1.into(), 2.into(), 3.into()]);
        check::<()>(false);
        check::<bool>(0);
        check::<u8>(-1);
        check::<f64>(1);
        check::<char>("ab");
    }
}

mod maps {
    use super::*;

    #[test]
    fn entries_stand_in_canonical_order_whatever_the_order_of_insertion() {
        let keys = ["", "a", "b", "aa", "é", "aaa"];
        let mut forwards = Map::new();
        let mut backwards = Map::new();
        for key in keys {
            assert_eq!(forwards.insert(key, key.into()), None);
        }
        for key in keys.into_iter().rev() {
            assert_eq!(backwards.insert(key, key.into()), None);
        }
        assert!(forwards.keys().eq(keys));
        assert_eq!(forwards, backwards);
        assert_eq!(
            forwards,
            keys.into_iter()
                .rev()
                .map(|key| (key, key.into()))
                .collect()
        );
        assert!(keys.is_sorted_by(|a, b| data::canonical_cmp(a, b).is_lt()));
    }

    #[test]
    fn a_map_finds_replaces_and_removes() {
        let mut map = Map::from([("b", 1.into()), ("a", 2.into())]);
        assert_eq!((map.len(), map.is_empty()), (2, false));
        assert_eq!(map.get("a"), Some(&Value::Integer(2)));
        assert_eq!(map.get("c"), None);
        assert_eq!(map.insert("a", 3.into()), Some(Value::Integer(2)));
        *map.get_mut("b").unwrap() = Value::Null;
        assert_eq!(map["b"], Value::Null);
        assert_eq!(map.remove("a"), Some(Value::Integer(3)));
        assert_eq!(map.remove("a"), None);
        assert!(!map.contains_key("a"));
        assert!(map.iter().eq([(&"b".to_owned(), &Value::Null)]));
    }

    #[test]
    fn the_last_of_several_values_wins() {
        let mut map = Map::from([("b", 1.into()), ("a", 2.into()), ("b", 3.into())]);
        map.extend([
            ("b", 4.into()),
            ("a", 5.into()),
            ("b", 6.into()),
            ("c", 7.into()),
        ]);
        let entries = [("a", 5), ("b", 6), ("c", 7)].map(|(key, value)| (key, value.into()));
        assert!(
            map.into_iter()
                .eq(entries.map(|(key, value): (&str, Value)| (key.to_owned(), value)))
        );
    }
}

mod depth {
    use super::*;

    /// Fails the test, rather than the process, if the stack runs out early.
    fn with_a_small_stack(test: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        thread.spawn(test).unwrap().join().unwrap();
    }

    fn nested(depth: usize) -> Value {
        (1..depth).fold(Value::List(Vec::new()), |inner, level| {
            if level % 2 == 0 {
                vec![inner].into()
            } else {
                Map::from([("a", inner)]).into()
            }
        })
    }

    #[test]
    fn nesting_is_allowed_to_the_bound_and_not_beyond() {
        with_a_small_stack(|| {
            let value = nested(MAX_DEPTH);
            let cbor = data::to_cbor(&value).unwrap();
            assert_eq!(data::from_cbor(&cbor), Ok(value.clone()));
            let json = data::to_json(&value).unwrap();
            assert_eq!(data::from_json(&json), Ok(value.clone()));
            assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), value);

            let value = nested(MAX_DEPTH + 1);
            let error = Err(DataError::Unencodable(DataProblem::TooDeep));
            assert_eq!(data::to_cbor(&value), error);
            assert_eq!(data::to_json(&value), error);
            let cbor = serde_ipld_dagcbor::to_vec(&value).unwrap();
            let error = data::from_cbor::<IgnoredAny>(&cbor).unwrap_err();
            assert!(matches!(
                error,
                DataError::Cbor {
                    problem: DataProblem::TooDeep,
                    ..
                }
            ));
            assert!(serde_ipld_dagcbor::from_slice::<Value>(&cbor).is_err());
            let json = serde_json::to_vec(&value).unwrap();
            let error = data::from_json::<IgnoredAny>(&json).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("lists and maps are nested too deep, at line 1")
            );
            assert!(serde_json::from_slice::<Value>(&json).is_err());
        });
    }

    #[test]
    fn a_link_at_the_bottom_is_no_deeper_in_json() {
        let link = Value::Link(LINK.parse().unwrap());
        let value = (0..MAX_DEPTH).fold(link, |inner, _| vec![inner].into());
        assert_eq!(
            data::from_json(&data::to_json(&value).unwrap()),
            Ok(value.clone())
        );
        assert_eq!(data::from_cbor(&data::to_cbor(&value).unwrap()), Ok(value));
    }

    #[test]
    fn half_a_million_levels_are_refused_in_every_form() {
        const LEVELS: usize = 500_000;

        with_a_small_stack(|| {
            for level in [&b"\x81"[..], b"\xa1\x61a", b"\xd8\x2a"] {
                let cbor = level.repeat(LEVELS);
                assert!(data::from_cbor::<Value>(&cbor).is_err());
                assert!(data::from_cbor::<IgnoredAny>(&cbor).is_err());
                assert!(data::item_len(&cbor).is_err());
            }
            for level in ["[", r#"{"a":"#, r#"{"$link":"#, r#"{"$type":"#] {
                let json = level.repeat(LEVELS);
                assert!(data::from_json::<Value>(json.as_bytes()).is_err());
                assert!(data::from_json::<IgnoredAny>(json.as_bytes()).is_err());
            }
            let json = format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
            assert!(data::from_json::<Value>(json.as_bytes()).is_err());
        });
    }
}

mod random {
    use super::*;

    fn key() -> BoxedStrategy<String> {
        let long = |lengths: Range<usize>| lengths.prop_map(|length| "k".repeat(length));
        prop_oneof![4 => ".{0,6}", 2 => "[$a-c]{0,3}", 1 => long(22..26), 1 => long(254..258)]
            .prop_filter("JSON or the protocol has another use for it", |key| {
                !["$link", "$bytes", "$type"].contains(&key.as_str())
            })
            .boxed()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-300..300_i64).prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            vec(any::<u8>(), 0..30).prop_map(|bytes| Value::Bytes(bytes.into())),
            any::<[u8; 4]>().prop_map(|seed| CidLink::of_cbor(&seed).into()),
            any::<[u8; 4]>().prop_map(|seed| CidLink::of_raw(&seed).into()),
            (20..30_usize).prop_map(|length| vec![Value::Null; length].into()),
        ];
        leaf.prop_recursive(5, 32, 6, |inner| {
            let entries = || vec((key(), inner.clone()), 0..6);
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(Value::from),
                entries().prop_map(|entries| Map::from_iter(entries).into()),
                (entries(), "[a-z]{5}").prop_map(|(mut entries, name)| {
                    entries.push(("$type".to_owned(), name.into()));
                    Map::from_iter(entries).into()
                }),
            ]
        })
    }

    /// Whatever is accepted is canonical: it has no other bytes.
    fn accepted_only_if_canonical(cbor: &[u8]) {
        let value = data::from_cbor::<Value>(cbor);
        assert_eq!(data::from_cbor::<IgnoredAny>(cbor).is_ok(), value.is_ok());
        if let Ok(value) = value {
            assert_eq!(data::to_cbor(&value).unwrap(), cbor);
            assert_eq!(serde_ipld_dagcbor::to_vec(&value).unwrap(), cbor);
            assert_eq!(
                data::from_json::<Value>(&data::to_json(&value).unwrap()).unwrap(),
                value
            );
        }
    }

    proptest! {
        #[test]
        fn values_go_through_cbor_unchanged(value in value()) {
            let cbor = data::to_cbor(&value).unwrap();
            prop_assert_eq!(&data::from_cbor::<Value>(&cbor).unwrap(), &value);
            prop_assert_eq!(&data::to_value(&value).unwrap(), &value);
            prop_assert_eq!(data::item_len(&cbor), Ok(cbor.len()));
            prop_assert_eq!(serde_ipld_dagcbor::to_vec(&value).unwrap(), cbor);
        }

        #[test]
        fn values_go_through_json_unchanged(value in value()) {
            let json = data::to_json(&value).unwrap();
            prop_assert_eq!(&data::from_json::<Value>(&json).unwrap(), &value);
            prop_assert_eq!(&serde_json::from_slice::<Value>(&json).unwrap(), &value);
            prop_assert_eq!(serde_json::to_vec(&value).unwrap(), json);
        }

        #[test]
        fn values_go_through_themselves_unchanged(value in value()) {
            prop_assert_eq!(&Value::deserialize(&value).unwrap(), &value);
            prop_assert_eq!(&data::from_value::<Value>(value.clone()).unwrap(), &value);
        }

        #[test]
        fn entries_are_encoded_alike_in_any_order(
            entries in vec((key(), any::<i64>().prop_map(Value::from)), 0..30),
        ) {
            struct Entries(Vec<(String, Value)>);

            impl Serialize for Entries {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
                }
            }

            let map = Map::from_iter(entries.clone());
            let cbor = data::to_cbor(&Entries(entries.clone()));
            if map.len() == entries.len() {
                prop_assert_eq!(cbor, data::to_cbor(&map));
            } else {
                prop_assert_eq!(cbor, Err(DataError::Unencodable(DataProblem::DuplicateKey)));
            }
        }

        #[test]
        fn arbitrary_bytes_are_refused_or_canonical(cbor in vec(any::<u8>(), 0..64)) {
            accepted_only_if_canonical(&cbor);
            let _ = data::from_json::<Value>(&cbor);
            let _ = data::item_len(&cbor);
        }

        #[test]
        fn damaged_cbor_is_refused_or_canonical(
            value in value(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut cbor = data::to_cbor(&value).unwrap();
            let at = at.index(cbor.len());
            cbor[at] = byte;
            accepted_only_if_canonical(&cbor);
            cbor.insert(at, byte);
            accepted_only_if_canonical(&cbor);
            cbor.truncate(cut.index(cbor.len()));
            accepted_only_if_canonical(&cbor);
        }

        #[test]
        fn damaged_json_never_panics(
            value in value(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut json = data::to_json(&value).unwrap();
            let at = at.index(json.len());
            json[at] = byte;
            if let Ok(value) = data::from_json::<Value>(&json) {
                prop_assert_eq!(data::from_cbor(&data::to_cbor(&value).unwrap()), Ok(value));
            }
        }
    }
}
