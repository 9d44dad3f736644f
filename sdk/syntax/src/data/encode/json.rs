//! The notation of JSON, where links and byte strings are objects with one field.

use super::{Kind, Notation};
use crate::data::{CidLink, Value};
use data_encoding::BASE64_NOPAD;
use std::io::Write;

pub(in crate::data) enum Json {}

const INFALLIBLE: &str = "a vector takes all that is written to it";

impl Notation for Json {
    const CANONICAL: bool = false;
    const TYPE: &[u8] = b"\"$type\"";
    const BLOB: &[u8] = b"\"blob\"";
    const RESERVED: [&[u8]; 2] = [b"\"$link\"", b"\"$bytes\""];

    fn null(out: &mut Vec<u8>) {
        out.extend(b"null");
    }

    fn bool(out: &mut Vec<u8>, value: bool) {
        out.extend(if value { b"true".as_slice() } else { b"false" });
    }

    fn integer(out: &mut Vec<u8>, value: i64) {
        serde_json::to_writer(out, &value).expect(INFALLIBLE);
    }

    fn text(out: &mut Vec<u8>, value: &str) {
        serde_json::to_writer(out, value).expect(INFALLIBLE);
    }

    fn bytes(out: &mut Vec<u8>, value: &[u8]) {
        out.extend(br#"{"$bytes":""#);
        let start = out.len();
        out.resize(start + BASE64_NOPAD.encode_len(value.len()), 0);
        BASE64_NOPAD.encode_mut(value, &mut out[start..]);
        out.extend(br#""}"#);
    }

    fn link(out: &mut Vec<u8>, cid: &[u8]) {
        let link = CidLink::from_bytes(cid).expect("the encoder has checked the link");
        write!(out, r#"{{"$link":"{link}"}}"#).expect(INFALLIBLE);
    }

    fn open(out: &mut Vec<u8>, kind: Kind, _length: usize) {
        out.push(if kind == Kind::List { b'[' } else { b'{' });
    }

    fn separate(out: &mut Vec<u8>) {
        out.push(b',');
    }

    fn assign(out: &mut Vec<u8>) {
        out.push(b':');
    }

    fn close(out: &mut Vec<u8>, kind: Kind, _start: usize, _expected: usize, _length: usize) {
        out.push(if kind == Kind::List { b']' } else { b'}' });
    }

    fn is_text(written: &[u8]) -> bool {
        written[0] == b'"'
    }

    fn is_empty_text(written: &[u8]) -> bool {
        written == br#""""#
    }

    fn is_blob(written: &[u8]) -> bool {
        // Reading is what tells, in whatever order the fields stand.
        serde_json::from_slice::<Value>(written).is_ok()
    }
}
