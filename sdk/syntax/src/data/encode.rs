//! Encodes what serde can serialise as canonical DAG-CBOR or as JSON, within the data model.
//!
//! One serializer for both formats: what may be encoded is the same, and so is what a type sees
//! (`is_human_readable` is false), only the notation differs. The encoder of `serde_ipld_dagcbor`
//! lets floats, doubled keys and integers beyond 64 signed bits through, loses the text of an error
//! inside a map, and allocates for every field.

use super::link;
use super::{DataError, DataProblem, MAX_DEPTH};
use ::cid::serde::CID_SERDE_PRIVATE_IDENTIFIER;
use serde::ser::{self, Serialize};
use std::marker::PhantomData;

pub(super) fn encode<N: Notation, T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, DataError> {
    let mut encoder = Encoder::<N> {
        out: Vec::with_capacity(TYPICAL_RECORD),
        depth: 0,
        entries: Vec::new(),
        link: false,
        notation: PhantomData,
    };
    value.serialize(&mut encoder)?;
    Ok(encoder.out)
}

const TYPICAL_RECORD: usize = 512;

/// How a format writes the values of the data model.
pub(super) trait Notation {
    /// Whether maps are brought into canonical order.
    const CANONICAL: bool;
    /// Keys as they are written, which no map may have.
    const RESERVED: [&[u8]; 2];
    /// `$type` as it is written.
    const TYPE: &[u8];

    fn null(out: &mut Vec<u8>);
    fn bool(out: &mut Vec<u8>, value: bool);
    fn integer(out: &mut Vec<u8>, value: i64);
    fn text(out: &mut Vec<u8>, value: &str);
    fn bytes(out: &mut Vec<u8>, value: &[u8]);
    fn link(out: &mut Vec<u8>, cid: &[u8]);

    /// Whether a value, as written, is a string; and whether it is one that is not empty.
    fn is_text(written: &[u8]) -> bool;
    fn is_some_text(written: &[u8]) -> bool;

    /// Opens a list or a map of perhaps `length` items.
    fn open(out: &mut Vec<u8>, kind: Kind, length: usize);
    /// Stands before the item or entry with this index.
    fn before(out: &mut Vec<u8>, index: usize);
    /// Stands between a key and its value.
    fn between(out: &mut Vec<u8>);
    /// Closes what was opened at `start` for perhaps `expected` items, and has `length`.
    fn close(out: &mut Vec<u8>, kind: Kind, start: usize, expected: usize, length: usize);
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Map,
}
