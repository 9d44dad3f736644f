//! The items of the data model, written canonically.

use super::{BYTES, FALSE, LINK, LIST, MAP, NEGATIVE, NULL, TEXT, TRUE, UNSIGNED};
use crate::Cid;

pub(crate) fn integer(value: u64, to: &mut Vec<u8>) {
    head(UNSIGNED, value, to);
}

pub(crate) fn signed(value: i64, to: &mut Vec<u8>) {
    // Of a negative integer the argument is how far it lies below -1 (RFC 8949 §3.1).
    let (kind, argument) = if value < 0 {
        (NEGATIVE, !value)
    } else {
        (UNSIGNED, value)
    };
    head(kind, argument.unsigned_abs(), to);
}

pub(crate) fn boolean(value: bool, to: &mut Vec<u8>) {
    to.push(if value { TRUE } else { FALSE });
}

pub(crate) fn bytes(value: &[u8], to: &mut Vec<u8>) {
    head(BYTES, value.len() as u64, to);
    to.extend_from_slice(value);
}

pub(crate) fn text(value: &str, to: &mut Vec<u8>) {
    head(TEXT, value.len() as u64, to);
    to.extend_from_slice(value.as_bytes());
}

pub(crate) fn list(len: u64, to: &mut Vec<u8>) {
    head(LIST, len, to);
}

pub(crate) fn map(len: u64, to: &mut Vec<u8>) {
    head(MAP, len, to);
}

pub(crate) fn cid(value: &Cid, to: &mut Vec<u8>) {
    to.extend_from_slice(&LINK);
    to.extend_from_slice(&value.to_bytes());
}

pub(crate) fn nullable_cid(value: Option<&Cid>, to: &mut Vec<u8>) {
    match value {
        Some(value) => cid(value, to),
        None => to.push(NULL),
    }
}

#[inline]
fn head(kind: u8, argument: u64, to: &mut Vec<u8>) {
    let kind = kind << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => to.push(kind | bytes[7]),
        24..0x100 => to.extend_from_slice(&[kind | 0x18, bytes[7]]),
        0x100..0x1_0000 => to.extend_from_slice(&[kind | 0x19, bytes[6], bytes[7]]),
        0x1_0000..0x1_0000_0000 => {
            to.push(kind | 0x1a);
            to.extend_from_slice(&bytes[4..]);
        }
        _ => {
            to.push(kind | 0x1b);
            to.extend_from_slice(&bytes);
        }
    }
}
