use super::{CborProblem, MAX_DEPTH, Reader};

/// Reads one item and the end.
#[track_caller]
fn check(bytes: &[u8], expect: Result<(), (CborProblem, usize)>) {
    let mut reader = Reader::new(bytes);
    let actual = reader.skip().and_then(|()| reader.end());
    let actual = actual.map_err(|error| (error.problem, error.offset));
    assert_eq!(actual, expect, "{}", bytes.escape_ascii());
}

#[test]
fn canonical_items_are_read() {
    for bytes in [
        &b"\x00"[..],
        b"\x17",
        b"\x18\x18",
        b"\x19\x01\x00",
        b"\x1b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xf4",
        b"\xf5",
        b"\xf6",
        b"\x60",
        b"\x62\xc3\xa9",
        b"\x41\xff",
        b"\x80",
        b"\x82\x01\xa0",
        b"\xa2\x61b\x01\x62aa\x02",
        b"\xa2\x61a\x01\x61b\x02",
    ] {
        check(bytes, Ok(()));
    }
}

#[test]
fn everything_else_is_refused_where_it_stands() {
    use CborProblem::*;
    check(b"", Err((Truncated, 0)));
    check(b"\x18", Err((Truncated, 1)));
    check(b"\x62a", Err((Truncated, 2)));
    check(b"\x9b\x00\x00\x01\x00\x00\x00\x00\x00", Err((Truncated, 0)));
    check(b"\xa1\x61a", Err((Truncated, 3)));
    check(b"\xa2\x61a", Err((Truncated, 0)));
    check(b"\x00\x00", Err((Trailing, 1)));
    check(b"\x18\x17", Err((NotMinimal, 0)));
    check(b"\x19\x00\xff", Err((NotMinimal, 0)));
    check(b"\x1a\x00\x00\xff\xff", Err((NotMinimal, 0)));
    check(
        b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
        Err((NotMinimal, 0)),
    );
    check(b"\x78\x01a", Err((NotMinimal, 0)));
    check(
        b"\x1b\x80\x00\x00\x00\x00\x00\x00\x00",
        Err((IntegerRange, 0)),
    );
    check(
        b"\x3b\x80\x00\x00\x00\x00\x00\x00\x00",
        Err((IntegerRange, 0)),
    );
    check(b"\xf9\x00\x00", Err((Float, 0)));
    check(b"\x81\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00", Err((Float, 1)));
    check(b"\x9f\xff", Err((Indefinite, 0)));
    check(b"\xbf\xff", Err((Indefinite, 0)));
    check(b"\x7f\xff", Err((Indefinite, 0)));
    check(b"\x5f\xff", Err((Indefinite, 0)));
    check(b"\xc1\x00", Err((Tag, 0)));
    check(b"\xf7", Err((Unsupported, 0)));
    check(b"\xf8\x20", Err((Unsupported, 0)));
    check(b"\x1c", Err((Unsupported, 0)));
    check(b"\x62\xff\xff", Err((Utf8, 0)));
    check(b"\xa1\x61\xff\x00", Err((Utf8, 1)));
    check(b"\xa1\x01\x00", Err((Key, 1)));
    check(b"\xa2\x61b\x01\x61a\x02", Err((KeyOrder, 4)));
    check(b"\xa2\x62aa\x01\x61b\x02", Err((KeyOrder, 5)));
    check(b"\xa2\x61a\x01\x61a\x02", Err((DuplicateKey, 4)));
    check(b"\xd8\x2a\x41\x00", Err((Link, 0)));
    check(b"\xd8\x2a\x60", Err((Link, 0)));
    check(b"\xa1\x65$link\x61a", Err((DataModel, 0)));
    check(b"\xa1\x66$bytes\x60", Err((DataModel, 0)));
    check(b"\xa1\x65$type\x60", Err((DataModel, 0)));
    check(b"\xa1\x65$type\x01", Err((DataModel, 0)));
    check(b"\xa1\x65$type\x64blob", Err((DataModel, 0)));
}

#[test]
fn nesting_ends_at_the_limit_whatever_comes_after() {
    let mut deep = vec![0x81; MAX_DEPTH - 1];
    deep.push(0x80);
    check(&deep, Ok(()));
    let deep = vec![0x81; 5_000_000];
    check(&deep, Err((CborProblem::TooDeep, MAX_DEPTH)));
    let deep = b"\xa1\x61a".repeat(1_000_000);
    check(&deep, Err((CborProblem::TooDeep, 3 * MAX_DEPTH)));
}

#[test]
fn an_item_of_another_kind_is_named() {
    #[track_caller]
    fn check<T: std::fmt::Debug>(
        bytes: &[u8],
        read: impl Fn(&mut Reader<'static>) -> Result<T, super::CborError>,
        expect: CborProblem,
    ) {
        let mut reader = Reader::new(bytes.to_vec().leak());
        assert_eq!(read(&mut reader).unwrap_err().problem, expect);
    }
    check(
        b"\x60",
        Reader::integer,
        CborProblem::Expected("an integer"),
    );
    check(
        b"\xf6",
        Reader::integer,
        CborProblem::Expected("an integer"),
    );
    check(b"\xfb\0\0\0\0\0\0\0\0", Reader::integer, CborProblem::Float);
    check(b"\x00", Reader::text, CborProblem::Expected("text"));
    check(b"\x00", Reader::bytes, CborProblem::Expected("bytes"));
    check(b"\x00", Reader::list, CborProblem::Expected("a list"));
    check(b"\x80", Reader::map, CborProblem::Expected("a map"));
    check(
        b"\x00",
        Reader::boolean,
        CborProblem::Expected("true or false"),
    );
    check(b"\x00", Reader::cid, CborProblem::Link);
    check(b"\xc1\x00", Reader::cid, CborProblem::Tag);
}

/// What is asked for of a map must not change what it may have.
#[test]
fn keys_that_are_asked_for_hide_no_fault_of_the_others() {
    use super::{CborError, Key};
    const B: Key = Key::new("b");
    const DD: Key = Key::new("dd");
    #[track_caller]
    fn check(keys: &[&str]) {
        let mut bytes = vec![0xa0 | u8::try_from(keys.len()).unwrap()];
        for (value, key) in (0..).zip(keys) {
            super::write::text(key, &mut bytes);
            bytes.push(value);
        }
        let end = bytes.len();
        let one_by_one = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let mut map = reader.map()?;
            let (mut b, mut dd) = (None, None);
            while let Some(key) = map.next_key(&mut reader)? {
                match key {
                    b"b" => b = Some(reader.integer()?),
                    b"dd" => dd = Some(reader.integer()?),
                    _ => reader.skip()?,
                }
            }
            Ok::<_, CborError>((b, dd, reader.offset()))
        };
        let asked = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let mut map = reader.map()?;
            let b = map.field(&B, &mut reader, Reader::integer)?;
            let dd = map.field(&DD, &mut reader, Reader::integer)?;
            map.finish(&mut reader)?;
            Ok::<_, CborError>((b, dd, reader.offset()))
        };
        assert_eq!(asked(&bytes), one_by_one(&bytes), "{keys:?}");
        // Far from the end, keys are read in whole words.
        bytes.extend_from_slice(&[0; 32]);
        assert_eq!(asked(&bytes), one_by_one(&bytes), "{keys:?}");
        let in_order = keys.is_sorted_by(|one, other| (one.len(), one) < (other.len(), other));
        let read = asked(&bytes).map(|(_, _, read)| read);
        assert_eq!(read.ok(), in_order.then_some(end), "{keys:?}");
    }
    check(&[]);
    check(&["b", "dd"]);
    check(&["b"]);
    check(&["dd"]);
    check(&["a", "b", "dd"]);
    check(&["", "a", "c"]);
    check(&["c", "ee"]);
    check(&["c", "dd", "ee"]);
    check(&["b", "c", "dd", "ee"]);
    check(&["b", "dd", "b"]);
    check(&["b", "dd", "dd"]);
    check(&["dd", "b"]);
    check(&["b", "dd", "a"]);
    check(&["b", "b", "dd"]);
    check(&["c", "b"]);
    check(&["a", "a"]);
    check(&["\u{e9}", "\u{ea}"]);
    check(&["\u{ea}", "\u{e9}"]);
    check(&["fifteen letters", "sixteen letters."]);
    check(&["sixteen letters.", "fifteen letters"]);
    check(&["sixteen letters!", "sixteen letters."]);
    check(&["sixteen letters.", "sixteen letters!"]);
    check(&["sixteen letters.", "sixteen letters."]);
    check(&["sixteen letters.", "dd"]);
}

/// Values are as deep as the maps they stand in, asked for or not.
#[test]
fn what_is_passed_over_is_nested_no_deeper_than_anything() {
    use super::Key;
    const B: Key = Key::new("b");
    let read = |depth: usize| {
        let mut bytes = vec![0xa1, 0x61, b'a'];
        bytes.resize(bytes.len() + depth, 0x81);
        bytes.push(0);
        let mut reader = Reader::new(&bytes);
        let mut map = reader.map().unwrap();
        let found = map.field(&B, &mut reader, Reader::integer);
        found.map_err(|error| error.problem)
    };
    assert_eq!(read(MAX_DEPTH - 1), Ok(None));
    assert_eq!(read(MAX_DEPTH), Err(CborProblem::TooDeep));
}
