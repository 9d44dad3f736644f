//! The few kinds of items that a repository is made of, written canonically.

use super::{BYTES, LINK, LIST, MAP, NULL, TEXT, UNSIGNED};
use crate::Cid;

pub(crate) fn integer(value: u64, to: &mut Vec<u8>) {
    head(UNSIGNED, value, to);
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
