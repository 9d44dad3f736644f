//! The notation of DAG-CBOR.

use super::{Kind, Notation};

pub(in crate::data) enum Cbor {}

const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const LIST: u8 = 4 << 5;
const MAP: u8 = 5 << 5;

/// Writes a head in its shortest form.
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let bytes = argument.to_be_bytes();
    match argument {
        0..0x18 => out.push(major | bytes[7]),
        0x18..0x100 => out.extend_from_slice(&[major | 0x18, bytes[7]]),
        0x100..0x1_0000 => out.extend_from_slice(&[major | 0x19, bytes[6], bytes[7]]),
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 0x1a);
            out.extend_from_slice(&bytes[4..]);
        }
        0x1_0000_0000.. => {
            out.push(major | 0x1b);
            out.extend_from_slice(&bytes);
        }
    }
}

const fn major(kind: Kind) -> u8 {
    match kind {
        Kind::List => LIST,
        Kind::Map => MAP,
    }
}

impl Notation for Cbor {
    const CANONICAL: bool = true;
    const TYPE: &[u8] = b"\x65$type";
    const RESERVED: [&[u8]; 2] = [b"\x65$link", b"\x66$bytes"];

    fn null(out: &mut Vec<u8>) {
        out.push(0xf6);
    }

    fn bool(out: &mut Vec<u8>, value: bool) {
        out.push(if value { 0xf5 } else { 0xf4 });
    }

    fn integer(out: &mut Vec<u8>, value: i64) {
        // A negative integer n is written as -1 - n.
        let major = if value < 0 { NEGATIVE } else { UNSIGNED };
        head(
            out,
            major,
            (if value < 0 { !value } else { value }).unsigned_abs(),
        );
    }

    fn text(out: &mut Vec<u8>, value: &str) {
        head(out, TEXT, value.len() as u64);
        out.extend_from_slice(value.as_bytes());
    }

    fn bytes(out: &mut Vec<u8>, value: &[u8]) {
        head(out, BYTES, value.len() as u64);
        out.extend_from_slice(value);
    }

    fn link(out: &mut Vec<u8>, cid: &[u8]) {
        // Tag 42, and the zero byte that says that the CID is in binary form.
        out.extend([0xd8, 42]);
        head(out, BYTES, cid.len() as u64 + 1);
        out.push(0);
        out.extend_from_slice(cid);
    }

    fn open(out: &mut Vec<u8>, kind: Kind, length: usize) {
        head(out, major(kind), length as u64);
    }

    fn separate(_out: &mut Vec<u8>) {}

    fn assign(_out: &mut Vec<u8>) {}

    fn close(out: &mut Vec<u8>, kind: Kind, start: usize, expected: usize, length: usize) {
        if length != expected {
            let (mut wrong, mut right) = (Vec::new(), Vec::new());
            Self::open(&mut wrong, kind, expected);
            Self::open(&mut right, kind, length);
            out.splice(start..start + wrong.len(), right);
        }
    }

    fn is_text(written: &[u8]) -> bool {
        written[0] & 0xe0 == TEXT
    }

    fn is_empty_text(written: &[u8]) -> bool {
        written[0] == TEXT
    }
}
