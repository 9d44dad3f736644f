//! The notation of DAG-CBOR.

use super::{Kind, Notation};
use crate::data::scan;

pub(in crate::data) enum Cbor {}

const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const LIST: u8 = 4 << 5;
const MAP: u8 = 5 << 5;

/// A head in its shortest form, at the end of the buffer.
fn head(buffer: &mut [u8; 9], major: u8, argument: u64) -> &[u8] {
    buffer[1..].copy_from_slice(&argument.to_be_bytes());
    let (width, info) = match argument {
        0..0x18 => (0, buffer[8]),
        0x18..0x100 => (1, 0x18),
        0x100..0x1_0000 => (2, 0x19),
        0x1_0000..0x1_0000_0000 => (4, 0x1a),
        0x1_0000_0000.. => (8, 0x1b),
    };
    let start = 8 - width;
    buffer[start] = major | info;
    &buffer[start..]
}

fn write_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    match argument {
        // Most heads are one byte; this is only faster.
        0..0x18 => out.push(major | argument.to_be_bytes()[7]),
        0x18.. => out.extend_from_slice(head(&mut [0; 9], major, argument)),
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
    const BLOB: &[u8] = b"\x64blob";
    const RESERVED: [&[u8]; 2] = [b"\x65$link", b"\x66$bytes"];

    fn null(out: &mut Vec<u8>) {
        out.push(0xf6);
    }

    fn bool(out: &mut Vec<u8>, value: bool) {
        out.push(if value { 0xf5 } else { 0xf4 });
    }

    fn integer(out: &mut Vec<u8>, value: i64) {
        match u64::try_from(value) {
            Ok(value) => write_head(out, UNSIGNED, value),
            // A negative integer n is written as -1 - n.
            Err(_) => write_head(out, NEGATIVE, (!value).unsigned_abs()),
        }
    }

    fn text(out: &mut Vec<u8>, value: &str) {
        write_head(out, TEXT, value.len() as u64);
        out.extend_from_slice(value.as_bytes());
    }

    fn bytes(out: &mut Vec<u8>, value: &[u8]) {
        write_head(out, BYTES, value.len() as u64);
        out.extend_from_slice(value);
    }

    fn link(out: &mut Vec<u8>, cid: &[u8]) {
        // Tag 42, and the zero byte that says that the CID is in binary form.
        out.extend([0xd8, 42]);
        write_head(out, BYTES, cid.len() as u64 + 1);
        out.push(0);
        out.extend_from_slice(cid);
    }

    fn open(out: &mut Vec<u8>, kind: Kind, length: usize) {
        write_head(out, major(kind), length as u64);
    }

    fn separate(_out: &mut Vec<u8>) {}

    fn assign(_out: &mut Vec<u8>) {}

    fn close(out: &mut Vec<u8>, kind: Kind, start: usize, expected: usize, length: usize) {
        if length != expected {
            let written = head(&mut [0; 9], major(kind), expected as u64).len();
            let mut buffer = [0; 9];
            let right = head(&mut buffer, major(kind), length as u64);
            out.splice(start..start + written, right.iter().copied());
        }
    }

    fn is_text(written: &[u8]) -> bool {
        written[0] & 0xe0 == TEXT
    }

    fn is_empty_text(written: &[u8]) -> bool {
        written[0] == TEXT
    }

    fn is_blob(written: &[u8]) -> bool {
        scan::is_blob(written)
    }
}
